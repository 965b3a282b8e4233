package e2e

import (
	"testing"
)

// workersScript keeps the page's workers at hand, and has something foreign be the first
// that each of them hears.
const workersScript = `
	globalThis.workers = [];
	globalThis.Worker = class extends Worker {
		constructor(...a) { super(...a); workers.push(this); this.postMessage(null); }
	};`

// TestBrowserWorkerEnds has workers die, break and hear nonsense.
func TestBrowserWorkerEnds(t *testing.T) {
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{script: workersScript})
	b.eval(`
		globalThis.api = await import("/undertone.js");
		globalThis.begin = () => api.Undertone.load("`+model+`", { device: "cpu" });
		globalThis.timed = async (promise) => { const at = performance.now(); return { fault: await test.refused(promise), ms: performance.now() - at }; };`, nil)
	type timed struct {
		Fault *fault
		Ms    float64
	}

	b.step("nonsense", func(t *testing.T) {
		var f *fault
		b.eval(`
			const u = globalThis.u = await begin();
			const nonsense = [null, undefined, 5, "text", [], {}, { type: null }, { type: "generate" }, { type: "generate", id: "x" }, { type: 5, id: 5 },
				{ type: "generate", id: 77, body: 5 }, { type: "load", id: 78 }, { type: "generate", id: 79, body: "{" },
				{ type: "generate", id: 80, body: '{"prompt":"' + "x".repeat(3 << 20) + '"}' },
				{ type: "abort", id: 1e9 }, { type: "init", id: 1 }, { type: "surprise", id: 81 }];
			for (const m of nonsense) workers[0].postMessage(m);
			for (let id = 1000; id < 1200; id++) workers[0].postMessage({ type: "generate", id: id >> 1, body: "{}" });
			return test.refused(u.generate({ steps: 1 }))`, &f)
		if f != nil && f.Code != "busy" {
			t.Errorf("%+v", f)
		}
		b.eval(`
			while (await test.refused(u.generate({ steps: 1 }))) await test.sleep(50);`, nil)
	})

	b.step("abort", func(t *testing.T) {
		var wrong []string
		b.eval(`
			const wrong = [];
			for (let i = 0; i < 100; i++) {
				const stop = new AbortController();
				const making = u.generate({ steps: 1, signal: stop.signal });
				let there = false;
				making.then(() => { there = true; }, () => {});
				if (i % 2) await test.sleep(i / 10);
				const late = there;
				stop.abort();
				const name = await making.then(() => "a picture", (e) => e.name);
				if (name !== "AbortError" && !late) wrong.push(name);
			}
			return wrong`, &wrong)
		if len(wrong) != 0 {
			t.Errorf("of 100 aborts %d gave %v", len(wrong), wrong)
		}
	})

	b.step("terminated", func(t *testing.T) {
		var r, again timed
		b.eval(`
			const making = timed(u.generate({ steps: 12 }));
			workers.at(-1).terminate();
			return making`, &r)
		b.eval(`return timed(u.generate({}))`, &again)
		if r.Fault == nil || r.Fault.Code != "worker-failed" || r.Ms > 6000 || again.Fault == nil || again.Fault.Code != "worker-failed" {
			t.Errorf("%v after %.0f ms, then %v", r.Fault, r.Ms, again.Fault)
		}
		var f *fault
		if b.eval(`const v = await begin(); const f = await test.refused(v.generate({ steps: 1 })); v.close(); return f`, &f); f != nil {
			t.Errorf("another model: %+v", f)
		}
	})

	good := s.prelude
	for name, prelude := range map[string]string{
		"throws in a callback": `Object.defineProperty(Response.prototype, "status", { get() { throw new Error("planted"); } });`,
		"does not start":       `WebAssembly.instantiate = async () => { throw new Error("planted"); };`,
		"throws at the start":  `Object.defineProperty(globalThis, "undertone", { set() {}, get() { throw new Error("planted"); } });`,
		"has no engine":        `import "./nowhere.js";`,
	} {
		b.step(name, func(t *testing.T) {
			s.prelude = prelude + good
			defer func() { s.prelude = good }()
			var r timed
			if b.eval(`return timed(Promise.race([begin(), test.sleep(20000)]))`, &r); r.Fault == nil || r.Fault.Code != "worker-failed" || r.Fault.Advice == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}
