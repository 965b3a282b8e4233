package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// What can go wrong with a GPU, G1 to G20, and where it is tested:
//
//	G1–G5    no GPU to be had               TestBrowserGPURefused, TestBrowserNoWebGPU, gpu.TestOpenFaults
//	G6       nothing but WebGPU's own limits TestBrowserGPUFloor, gpu.TestOpsFloor
//	G7, G10  lost, with and without a throw TestBrowserGPULost, gpu.TestDeviceLost
//	G8, G9   the GPU process crashes        TestBrowserGPUCrash
//	G11      no memory for the n-th buffer  TestBrowserGPUMemory, gpu.TestEveryBuffer, networks.ShortOfMemory
//	G12      what a submit costs the CPU    gpu.BenchmarkEncode
//	G13      not a number                   networks.NotNumbers
//	G14, G15 planted bugs                   engine/testing/mutants
//	G16      no error uncaught              every test here
//	G17      the page's own thread          TestBrowserGPUTasks
//	G18–G20  stops, many pictures, hidden   TestBrowserGPULong; frozen, as it takes as long, TestBrowserGPULost

// TestBrowserGPURefused are G1 to G5: where no GPU can be had, what the API says
// within a second, before anything large is fetched. G1 and G2 on the page, with a
// picture on the CPU, are TestBrowserNoWebGPU.
func TestBrowserGPURefused(t *testing.T) {
	s := smallSite(t)
	b := troubled(t, s)
	for _, c := range []struct{ name, before, after, how, code, says string }{
		{"G1 no WebGPU", "const gpu = navigator.gpu; Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });",
			"Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });", "", "webgpu-missing", "does not offer WebGPU"},
		{"G3 refused device", "", "", "refuse", "device-refused", "gave no device"},
		{"G4 born lost", "", "", "born lost", "device-refused", "cannot be used"},
		{"G5 insecure context", `const gpu = navigator.gpu;
			Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
			Object.defineProperty(globalThis, 'isSecureContext', { value: false, configurable: true });`,
			"Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true }); delete globalThis.isSecureContext;", "", "insecure-context", "https"},
	} {
		b.step(c.name, func(t *testing.T) {
			var r struct {
				Fault fault
				Ms    float64
			}
			plan := "load()"
			if c.how != "" {
				plan = fmt.Sprintf("loadWith(%q)", c.how)
			}
			b.eval(c.before+`
				const at = performance.now(), n = ends.length;
				const fault = await test.refused(`+plan+`);
				const ms = performance.now() - at;
				if (fault.code === "device-refused") await ended(null, n);
				`+c.after+`
				return { fault, ms };`, &r)
			if r.Fault.Code != c.code || !strings.Contains(r.Fault.Message, c.says) || r.Fault.Advice == "" {
				t.Errorf("it says %+v, wanted %s and %q", r.Fault, c.code, c.says)
			}
			t.Logf("after %.0f ms: %s %s", r.Ms, r.Fault.Message, r.Fault.Advice)
			if r.Ms > 1000 {
				t.Errorf("it was said after %.0f ms, 1000 are allowed", r.Ms)
			}
		})
	}
	if asked := s.asked(".safetensors"); len(asked) != 0 {
		t.Errorf("weights were fetched for a device that is not there: %v", asked)
	}
	b.step("afterwards", func(t *testing.T) {
		var ok bool
		b.eval(`const u = await load(); const r = await make(u); await ended(u); return r.hash.length === 64`, &ok)
		if !ok {
			t.Error("no picture")
		}
	})
	b.quiet(t)
}

// TestBrowserGPULost is G7 and G10: the device goes away at points spread over
// loading and over a picture, from its words to its decoding, with and without an
// exception. The picture is made all the same, of the same bytes. Recovering costs a
// software adapter seconds, nearly all of them to compile kernels: UNDERTONE_LONG=1
// takes more points.
func TestBrowserGPULost(t *testing.T) {
	loads, pictures, throws := 3, 5, 2
	if os.Getenv("UNDERTONE_LONG") != "" {
		loads, pictures, throws = 6, 18, 6
	}
	thaw := freeze(t)
	b := troubled(t, smallSite(t))
	var base struct {
		Hash              string
		Load, First, Then int // calls to the GPU
	}
	b.eval(`globalThis.u = await loadWith(""); return { load: (await gpuState()).calls }`, &base)
	b.eval(`const { hash } = await make(u); return { hash, first: (await gpuState()).calls - `+fmt.Sprint(base.Load)+` }`, &base)
	b.eval(`await trouble(""); await make(u); const then = (await gpuState()).calls; await ended(u); return { then }`, &base)
	t.Logf("%d calls to load, %d for the first picture, %d for the next", base.Load, base.First, base.Then)

	type point struct {
		At, Recovered int
		Hash          string
		Ms            float64
		Fault         *fault
		State, End    gpuState
	}
	check := func(t *testing.T, what string, points []point) {
		t.Helper()
		ready, whole := 0.0, 0.0
		for _, p := range points {
			where := p.State.Where
			if p.Fault != nil || p.Hash != base.Hash || where == "" {
				t.Errorf("%s, call %d (%s): %+v %s", what, p.At, where, p.Fault, p.Hash)
			}
			if p.End.Alive != 0 {
				t.Errorf("%s, call %d (%s): %d buffers of %.0f bytes are left", what, p.At, where, p.End.Alive, p.End.Bytes)
			}
			if p.State.Ready == 0 || p.State.Ready > 5000 {
				t.Errorf("%s, call %d (%s): ready again after %.0f ms, 5000 are allowed", what, p.At, where, p.State.Ready)
			}
			ready, whole = max(ready, p.State.Ready), max(whole, p.Ms)
		}
		t.Logf("%s: %d points, ready again after at most %.0f ms, done after %.0f ms", what, len(points), ready, whole)
	}
	b.step("G7 while loading", func(t *testing.T) {
		var points []point
		for _, at := range spread(loads, base.Load) {
			var p point
			b.eval(fmt.Sprintf(`
				const p = { at: %d };
				const start = performance.now();
				try {
					const u = await loadWith("lose", p.at);
					p.state = await gpuState();
					p.ms = performance.now() - start;
					p.hash = (await make(u)).hash;
					p.end = await ended(u);
				} catch (e) { p.fault = test.fault(e); }
				return p`, at), &p)
			points = append(points, p)
		}
		check(t, "while loading", points)
	})
	for _, c := range []struct {
		name, how string
		n         int
	}{{"G7 in a picture", "lose", pictures}, {"G10 with an exception", "throw", throws}} {
		b.step(c.name, func(t *testing.T) {
			b.eval(`globalThis.u = await load(); await make(u)`, nil)
			var points []point
			seen := map[string]int{}
			for _, at := range spread(c.n, base.Then) {
				var p point
				b.eval(fmt.Sprintf(`
					const p = { at: %d };
					await trouble(%q, p.at);
					const start = performance.now();
					try { Object.assign(p, await make(u)); } catch (e) { p.fault = test.fault(e); }
					p.ms = performance.now() - start;
					p.state = await gpuState();
					return p`, at, c.how), &p)
				points = append(points, p)
				seen[p.State.Where]++
				if p.Recovered != 1 {
					t.Errorf("%s, call %d (%s): recovered %d times", c.how, p.At, p.State.Where, p.Recovered)
				}
			}
			b.eval(`await make(u); return ended(u)`, &points[len(points)-1].End)
			check(t, c.name, points)
			t.Logf("%v", seen)
		})
	}
	b.step("twice in one picture", func(t *testing.T) {
		var r struct {
			Fault   fault
			After   struct{ Hash string }
			Started int
		}
		b.eval(`
			const u = await load();
			let started = 0;
			const fault = await test.refused(u.generate({ ...frog, onStep: (s) => { if (s.step === 1) { started++; test.line.postMessage("lose"); } } }));
			const after = await make(u);
			await ended(u);
			return { fault, after, started }`, &r)
		if r.Fault.Code != "device-lost" || r.Started != 2 || r.After.Hash != base.Hash {
			t.Errorf("lost in both attempts: %+v", r)
		}
		t.Logf("it says: %s %s", r.Fault.Message, r.Fault.Advice)
	})
	t.Run("G20 frozen meanwhile", thaw)
	b.quiet(t)
}

// TestBrowserGPUMemory is G11: no memory for a buffer. Once in a picture, it is
// made again in less; while loading, or if memory stays short, a sentence says so.
// No buffer is left behind, and G16: no error goes uncaught.
func TestBrowserGPUMemory(t *testing.T) {
	b := troubled(t, smallSite(t))
	type point struct {
		At          int
		Fault       *fault
		Hash, Where string
		State, End  gpuState
	}
	var loads []point
	var whole gpuState
	b.eval(`const u = await loadWith(""); const s = await gpuState(); await ended(u); return s`, &whole)
	for at := 0; at < whole.Buffers; at += max(1, min(at/2, whole.Buffers/16)) {
		var p point
		b.eval(fmt.Sprintf(`
			const n = ends.length;
			const fault = await test.refused(loadWith("memory", %d));
			return { at: %[1]d, fault, end: await ended(null, n) }`, at), &p)
		loads = append(loads, p)
	}
	for _, p := range loads {
		if p.Fault == nil || p.Fault.Code != "out-of-memory" || p.Fault.Advice == "" || p.End.Met != 1 || p.End.Alive != 0 || p.End.Uncaptured != 0 {
			t.Errorf("no memory for buffer %d of loading (%s): %+v, left %+v", p.At, p.End.Where, p.Fault, p.End)
		}
	}
	t.Logf("loading: %d points, such as %q", len(loads), loads[len(loads)-1].Fault.Message)

	for _, how := range []string{"memory", "no memory"} {
		var r struct {
			Hash   string
			Points []point
			End    gpuState
		}
		// Once short of memory, the engine keeps one size only: another one makes
		// everything anew that belongs to a picture.
		b.eval(`
			globalThis.u = await load();
			const r = await make(u);
			await trouble("memory", 0);
			await make(u, { size: 24, prompt: "the cat" });
			return r`, &r)
		for at := range 60 {
			var p point
			b.eval(fmt.Sprintf(`
				await make(u, { size: 24, prompt: "the cat" });
				const p = { at: %d };
				await trouble(%q, p.at);
				try { p.hash = (await make(u)).hash; } catch (e) { p.fault = test.fault(e); }
				p.state = await gpuState();
				await trouble("");
				await make(u);
				return p`, at, how), &p)
			if p.State.Met == 0 {
				break
			}
			r.Points = append(r.Points, p)
		}
		b.eval(`return ended(u)`, &r.End)
		if len(r.Points) < 10 || r.End.Alive != 0 || r.End.Uncaptured != 0 {
			t.Errorf("%s: %d points, left behind %+v", how, len(r.Points), r.End)
		}
		for _, p := range r.Points {
			if how == "memory" && (p.Fault != nil || p.Hash != r.Hash) {
				t.Errorf("no memory for buffer %d (%s): %+v %s", p.At, p.State.Where, p.Fault, p.Hash)
			}
			if how == "no memory" && (p.Fault == nil || p.Fault.Code != "out-of-memory" || p.Fault.Advice == "") && p.Hash != r.Hash {
				t.Errorf("no memory from buffer %d (%s) on: %+v", p.At, p.State.Where, p.Fault)
			}
		}
		first, last := r.Points[0].State.Alive, r.Points[len(r.Points)-1].State.Alive
		t.Logf("%s: %d points; %d buffers after the first, %d after the last; %+v", how, len(r.Points), first, last, r.Points[0].Fault)
	}
	b.quiet(t)
}
