package e2e

import (
	"strings"
	"testing"
)

// fault is an error of the API.
type fault struct{ Name, Code, Message, Advice string }

// made is a picture of the API.
type made struct {
	Hash    string
	Seed    uint32
	Colours int
	Timings struct {
		TotalMs float64
		StepsMs []float64
	}
}

// TestBrowserAPI uses the API as a host page does, without the page.
func TestBrowserAPI(t *testing.T) {
	s := serve(t)
	b := open(t, s.URL+"/blank.html", options{})
	var info struct {
		Backend, Adapter, Model, Precision string
		Bytes                              int64
		Blocks                             struct{ Double, Single int }
		Sizes                              []int
		Steps, MaxSteps                    int
	}
	b.eval(`
		globalThis.api = await import("/undertone.js");
		globalThis.progress = [];
		globalThis.u = await api.Undertone.load("models/sprites/model.json", { onProgress: (p) => progress.push(p) });
		return u.info`, &info)
	if info.Backend != "webgpu" || info.Bytes == 0 || info.Blocks.Single == 0 || len(info.Sizes) == 0 || info.MaxSteps == 0 {
		t.Fatalf("info is %+v", info)
	}
	t.Logf("%s %s on %s", info.Model, info.Precision, info.Adapter)

	b.step("progress", func(t *testing.T) {
		var p []struct {
			Stage       string
			Done, Total int64
		}
		b.eval(`return progress`, &p)
		var stages []string
		last := int64(-1)
		for _, x := range p {
			if len(stages) == 0 || stages[len(stages)-1] != x.Stage {
				stages = append(stages, x.Stage)
			}
			if x.Stage == "download" {
				if x.Done < last || x.Total != info.Bytes {
					t.Errorf("%+v after %d of %d", x, last, info.Bytes)
				}
				last = x.Done
			}
		}
		if got := strings.Join(stages, " "); got != "device download prepare" || last != info.Bytes {
			t.Errorf("the stages are %q and end at %d of %d bytes", got, last, info.Bytes)
		}
	})

	b.step("result", func(t *testing.T) {
		var r struct {
			Picture    made
			Parameters struct {
				Prompt, Model, Plan, Backend string
				Seed                         uint32
				Steps                        int
				Guidance                     []struct{ Positive string }
			}
			Steps []struct {
				Step, Steps, Width int
			}
			Blob  struct{ Type, Head string }
			Wrong fault
		}
		b.eval(`
			const steps = [];
			const r = await u.generate({ prompt: "a blue cat", seed: 3, steps: 2, guidance: [{ positive: "at night", negative: "by day", weight: 2 }],
				onStep: (s) => steps.push({ step: s.step, steps: s.steps, width: s.preview.width }) });
			const blob = await r.blob();
			return { picture: await test.picture(r), parameters: r.parameters, steps, wrong: await test.refused(r.blob("image/jpeg")),
				blob: { type: blob.type, head: (await blob.slice(1, 4).text()) } }`, &r)
		if r.Picture.Colours < 100 || r.Picture.Seed != 3 || len(r.Picture.Timings.StepsMs) != 2 || r.Picture.Timings.TotalMs <= 0 {
			t.Errorf("the picture is %+v", r.Picture)
		}
		if p := r.Parameters; p.Prompt != "a blue cat" || p.Seed != 3 || p.Steps != 2 || p.Model != info.Model || p.Plan == "" || p.Backend != "webgpu" || p.Guidance[0].Positive != "at night" {
			t.Errorf("its parameters are %+v", p)
		}
		if len(r.Steps) != 2 || r.Steps[0].Step != 1 || r.Steps[1].Step != 2 || r.Steps[0].Width < 8 {
			t.Errorf("the steps were %+v", r.Steps)
		}
		if r.Blob.Type != "image/png" || r.Blob.Head != "PNG" || r.Wrong.Code != "encode-unsupported" {
			t.Errorf("as a file it is %+v, as JPEG %+v", r.Blob, r.Wrong)
		}
	})

	b.step("guidance", func(t *testing.T) {
		var r map[string]made
		b.eval(`
			const make = async (guidance) => test.picture(await u.generate({ prompt: "a frog", seed: 5, steps: 1, guidance }));
			const term = (weight, schedule) => [{ positive: "ultra-detailed", negative: "low-res", weight, schedule }];
			return { none: await make(undefined), zero: await make(term(0)), two: await make(term(2)), again: await make(term(2, { kind: "constant" })),
				negative: await make(term(-2)), late: await make(term(2, { kind: "step", start: 40, of: 57 })) }`, &r)
		if r["none"].Hash != r["zero"].Hash {
			t.Error("weight 0 is not no guidance")
		}
		if r["two"].Hash != r["again"].Hash {
			t.Error("the same request gave two pictures")
		}
		seen := map[string]string{}
		for _, k := range []string{"none", "two", "negative", "late"} {
			if other, ok := seen[r[k].Hash]; ok {
				t.Errorf("%s and %s are the same picture", k, other)
			}
			seen[r[k].Hash] = k
		}
	})

	b.step("stop", func(t *testing.T) {
		var r struct {
			Fault         fault
			Ms            float64
			Submits, Then int
			After         made
		}
		b.eval(`
			const stop = new AbortController();
			let at;
			const f = await test.refused(u.generate({ prompt: "a house", steps: 30, signal: stop.signal, onStep: (s) => { if (s.step === 1) { at = performance.now(); stop.abort(); } } }));
			const ms = performance.now() - at;
			const submits = await test.submits();
			await test.sleep(2000);
			const then = await test.submits();
			return { fault: f, ms, submits, then, after: await test.picture(await u.generate({ prompt: "a house", steps: 1 })) }`, &r)
		if r.Fault.Name != "AbortError" || r.Fault.Code != "aborted" {
			t.Errorf("stopped with %+v", r.Fault)
		}
		if r.Ms > 500 {
			t.Errorf("it took %.0f ms to stop, 500 are allowed", r.Ms)
		}
		if r.Submits == 0 || r.Then != r.Submits {
			t.Errorf("%d submits when it had stopped, %d two seconds later", r.Submits, r.Then)
		}
		if r.After.Colours < 100 {
			t.Errorf("the picture after it is %+v", r.After)
		}
	})

	b.step("refusals", func(t *testing.T) { b.refusals(t) })

	b.step("device loss", func(t *testing.T) {
		var r struct {
			Before, During, After made
			Recovered             int
		}
		b.eval(`
			const request = { prompt: "a star", seed: 9, steps: 4 };
			const before = await test.picture(await u.generate(request));
			let lost = false;
			const during = await u.generate({ ...request, onStep: () => { if (!lost) { lost = true; test.line.postMessage("lose"); } } });
			return { before, during: await test.picture(during), recovered: during.recovered, after: await test.picture(await u.generate(request)) }`, &r)
		if r.During.Hash != r.Before.Hash || r.Recovered != 1 {
			t.Errorf("when the GPU was taken away %+v became %+v, recovered %d", r.Before, r.During, r.Recovered)
		}
		if r.After.Hash != r.Before.Hash {
			t.Error("on the new device the same seed gives another picture")
		}
	})

	b.step("close", func(t *testing.T) {
		var r struct{ Running, After fault }
		b.eval(`
			const running = test.refused(u.generate({ prompt: "a fish", steps: 30 }));
			u.close();
			return { running: await running, after: await test.refused(u.generate({ prompt: "a fish" })) }`, &r)
		if r.Running.Code != "closed" || r.After.Code != "closed" {
			t.Errorf("%+v", r)
		}
	})

	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

// refusals asks for what cannot be made; each is refused with its code and a
// sentence that names the value and the limit.
func (b *tab) refusals(t *testing.T) {
	for _, c := range []struct{ request, code, says string }{
		{`{ prompt: "frog ".repeat(200000) }`, "prompt-too-long", "4096"},
		{`{ prompt: "ä".repeat(2049) }`, "prompt-too-long", "4098"},
		{`{ prompt: "\x00\x01\xff" }`, "prompt-not-text", "U+0000"},
		{`{ prompt: "half a \ud83d" }`, "prompt-not-text", "half"},
		{`{ prompt: 7 }`, "prompt-not-text", "7"},
		{`{ seed: -1 }`, "seed-range", "4294967295"},
		{`{ seed: 4294967296 }`, "seed-range", "4294967296"},
		{`{ seed: 1.5 }`, "seed-range", "1.5"},
		{`{ seed: NaN }`, "seed-range", "NaN"},
		{`{ seed: "7" }`, "seed-range", `"7"`},
		{`{ steps: 0 }`, "steps-range", "from 1"},
		{`{ steps: 1e9 }`, "steps-range", "1000000000"},
		{`{ size: 100 }`, "size-unsupported", "256"},
		{`{ cfg: 31 }`, "cfg-range", "30"},
		{`{ cfg: Infinity }`, "cfg-range", "Infinity"},
		{`{ guidance: {} }`, "guidance-invalid", "a list"},
		{`{ guidance: [null] }`, "guidance-invalid", "null"},
		{`{ guidance: [{ positive: "x", weight: NaN }] }`, "guidance-invalid", "NaN"},
		{`{ guidance: [{ positive: "x" }] }`, "guidance-invalid", "weight"},
		{`{ guidance: [{ positive: "x", weight: 1e6 }] }`, "guidance-invalid", "1e+06"},
		{`{ guidance: [{ positive: "x", weight: 1, head: -Infinity }] }`, "guidance-invalid", "head"},
		{`{ guidance: Array(9).fill({ weight: 1 }) }`, "guidance-invalid", "9"},
		{`{ guidance: [{ weight: 1, schedule: { kind: "spiral" } }] }`, "guidance-invalid", "spiral"},
		{`{ guidance: [{ weight: 1, schedule: { kind: "step", start: 999 } }] }`, "guidance-invalid", "999"},
		{`{ guidance: [{ weight: 1, schedule: { kind: "table", table: [1, NaN] } }] }`, "guidance-invalid", "NaN"},
		{`{ guidance: [{ weight: 1, schedule: { kind: "step", begin: 1 } }] }`, "request-invalid", "begin"},
		{`(() => { const s = { kind: "step" }; s.s = s; return { guidance: [{ weight: 1, schedule: s }] } })()`, "guidance-invalid", "schedule"},
		{`null`, "request-invalid", "null"},
		{`{ signal: AbortSignal.abort() }`, "aborted", ""},
	} {
		var f *fault
		b.eval(`return test.refused(u.generate(`+c.request+`))`, &f)
		if f == nil || f.Code != c.code || !strings.Contains(f.Message, c.says) || f.Advice == "" {
			t.Errorf("%s: %+v, wanted %s and %q", c.request, f, c.code, c.says)
		}
	}
	for _, c := range []struct{ arguments, code string }{
		{`"models/sprites/model.json", { device: "quantum" }`, "backend-missing"},
		{`"models/sprites/model.json", { store: "yes" }`, "request-invalid"},
		{`"data:text/json,{}"`, "request-invalid"},
		{`"http://["`, "request-invalid"},
		{`"models/sprites/model.json", { signal: AbortSignal.abort() }`, "aborted"},
	} {
		var f *fault
		b.eval(`return test.refused(api.Undertone.load(`+c.arguments+`))`, &f)
		if f == nil || f.Code != c.code || f.Advice == "" {
			t.Errorf("load(%s): %+v, wanted %s", c.arguments, f, c.code)
		}
	}
	var r struct {
		Busy  fault
		First made
	}
	b.eval(`
		const first = u.generate({ prompt: "a heart", steps: 2 });
		const busy = await test.refused(u.generate({ prompt: "a tree" }));
		return { busy, first: await test.picture(await first) }`, &r)
	if r.Busy.Code != "busy" || r.First.Colours < 100 {
		t.Errorf("a second request at the same time: %+v", r)
	}
}
