package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestBrowserGPURefused: where no GPU can be had, the API says so within a second, before
// anything large is fetched. The page's view of it, with a picture on the CPU, is
// TestBrowserNoWebGPU.
func TestBrowserGPURefused(t *testing.T) {
	s := smallSite(t)
	b := faultyGPU(t, s)
	for _, c := range []struct{ name, body, code, says string }{
		{"no WebGPU", `return test.gpu.without(true, () => test.gpu.refusal(""))`, "webgpu-missing", "does not offer WebGPU"},
		{"refused device", `return test.gpu.refusal("refuse")`, "device-refused", "gave no device"},
		{"born lost", `return test.gpu.refusal("born lost")`, "device-refused", "cannot be used"},
		{"insecure context", `return test.gpu.without(false, () => test.gpu.refusal(""))`, "insecure-context", "https"},
	} {
		b.step(c.name, func(t *testing.T) {
			var r struct {
				Fault fault
				Ms    float64
			}
			b.eval(c.body, &r)
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
		var hash string
		if b.call("gpu.loadAndGenerate", &hash); len(hash) != 64 {
			t.Error("no picture")
		}
	})
	b.quiet(t)
}

// lossPoint is what came of losing the device before one of the calls to the GPU.
type lossPoint struct {
	At, Recovered int
	Hash          string
	Ms            float64
	Fault         *fault
	State, End    gpuState
}

// recovers checks that after every loss the same picture was made, and in time.
func recovers(t *testing.T, what, hash string, points []lossPoint) {
	t.Helper()
	ready, whole := 0.0, 0.0
	for _, p := range points {
		where := p.State.Where
		if p.Fault != nil || p.Hash != hash || where == "" {
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

// TestBrowserGPULost: the device goes away at points spread over loading and over a
// picture, from its words to its decoding, with and without an exception. The picture is
// made all the same, of the same bytes. Recovering costs a software adapter seconds, nearly
// all of them to compile kernels: UNDERTONE_LONG=1 takes more points.
func TestBrowserGPULost(t *testing.T) {
	loads, pictures, throws := 2, 4, 1
	if os.Getenv("UNDERTONE_LONG") != "" {
		loads, pictures, throws = 6, 18, 6
	}
	b := faultyGPU(t, smallSite(t))
	var base struct {
		Hash              string
		Load, First, Then int // calls to the GPU
	}
	b.call("gpu.countCalls", &base)
	t.Logf("%d calls to load, %d for the first picture, %d for the next", base.Load, base.First, base.Then)

	for _, c := range []struct {
		name, how string
		n         int
	}{{"in a picture", "lose", pictures}, {"with an exception", "throw", throws}} {
		b.step(c.name, func(t *testing.T) {
			var points []lossPoint
			seen := map[string]int{}
			for _, at := range spread(c.n, base.Then) {
				var p lossPoint
				b.call("gpu.loseInPicture", &p, c.how, at)
				points = append(points, p)
				seen[p.State.Where]++
				if p.Recovered != 1 {
					t.Errorf("%s, call %d (%s): recovered %d times", c.how, p.At, p.State.Where, p.Recovered)
				}
			}
			recovers(t, c.name, base.Hash, points)
			t.Logf("%v", seen)
		})
	}
	b.step("twice in one picture", func(t *testing.T) {
		var r struct {
			Fault   fault
			After   struct{ Hash string }
			Started int
		}
		b.call("gpu.loseTwice", &r)
		if r.Fault.Code != "device-lost" || r.Started != 2 || r.After.Hash != base.Hash {
			t.Errorf("lost in both attempts: %+v", r)
		}
		t.Logf("it says: %s %s", r.Fault.Message, r.Fault.Advice)
	})
	b.step("nothing is left", func(t *testing.T) {
		var end gpuState
		if b.call("gpu.close", &end); end.Alive != 0 {
			t.Errorf("%d buffers of %.0f bytes are left", end.Alive, end.Bytes)
		}
	})
	b.step("while loading", func(t *testing.T) {
		var points []lossPoint
		for _, at := range spread(loads, base.Load) {
			var p lossPoint
			b.call("gpu.loseWhileLoading", &p, at)
			points = append(points, p)
		}
		recovers(t, "while loading", base.Hash, points)
	})
	b.quiet(t)
}

// starvedPoint is what came of having no memory for one of the buffers.
type starvedPoint struct {
	At          int
	Fault       *fault
	Hash, Where string
	State, End  gpuState
}

// TestBrowserGPUMemory: no memory for a buffer. Once, while loading or in a picture, less is
// used, and the picture is the same; if memory stays short, a sentence says so. No buffer is left
// behind, and no error goes uncaught.
func TestBrowserGPUMemory(t *testing.T) {
	t.Parallel()
	b := faultyGPU(t, smallSite(t))
	b.step("while loading", func(t *testing.T) {
		var whole gpuState
		var hash string
		b.call("gpu.loadState", &whole)
		b.call("gpu.loadAndGenerate", &hash)
		points := 0
		for at := 0; at < whole.Buffers; at += max(1, at) {
			var once, always starvedPoint
			b.call("gpu.starveLoading", &once, "memory", at, points == 3) // a picture takes seconds
			if once.Fault != nil || points == 3 && once.Hash != hash || once.End.Met != 1 || once.End.Alive != 0 || once.End.Uncaptured != 0 {
				t.Errorf("no memory for buffer %d of loading (%s): %+v, left %+v", at, once.End.Where, once.Fault, once.End)
			}
			b.call("gpu.starveLoading", &always, "no memory", at)
			if f := always.Fault; f == nil || f.Code != "out-of-memory" || f.Advice == "" || always.End.Alive != 0 || always.End.Uncaptured != 0 {
				t.Errorf("no memory from buffer %d of loading (%s) on: %+v, left %+v", at, always.End.Where, f, always.End)
			}
			points++
		}
		t.Logf("%d of %d buffers", points, whole.Buffers)
	})
	for how, name := range map[string]string{"memory": "once in a picture", "no memory": "from then on"} {
		b.step(name, func(t *testing.T) { b.starve(t, how) })
	}
	b.quiet(t)
}

// starve has buffers of a picture get no memory, one at a time: the first, and a sample of
// the others.
func (b *tab) starve(t *testing.T, how string) {
	var whole struct{ Hash string }
	var points []starvedPoint
	b.call("gpu.loadForOneSize", &whole)
	for at := 0; at < 60; at += 1 + at/5 {
		var p starvedPoint
		b.call("gpu.starvePicture", &p, how, at)
		if p.State.Met == 0 {
			break
		}
		points = append(points, p)
	}
	var end gpuState
	b.call("gpu.close", &end)
	if len(points) < 10 || end.Alive != 0 || end.Uncaptured != 0 {
		t.Fatalf("%s: %d points, left behind %+v", how, len(points), end)
	}
	for _, p := range points {
		if how == "memory" && (p.Fault != nil || p.Hash != whole.Hash) {
			t.Errorf("no memory for buffer %d (%s): %+v %s", p.At, p.State.Where, p.Fault, p.Hash)
		}
		if how == "no memory" && (p.Fault == nil || p.Fault.Code != "out-of-memory" || p.Fault.Advice == "") && p.Hash != whole.Hash {
			t.Errorf("no memory from buffer %d (%s) on: %+v", p.At, p.State.Where, p.Fault)
		}
	}
	first, last := points[0].State.Alive, points[len(points)-1].State.Alive
	t.Logf("%s: %d points; %d buffers after the first, %d after the last; %+v", how, len(points), first, last, points[0].Fault)
}
