package e2e

import (
	"testing"
)

// TestBrowserWorkerFailures has workers die, break and hear nonsense.
func TestBrowserWorkerFailures(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{before: script("before/foreign_first_message.js")})
	type timed struct {
		Fault *fault
		Ms    float64
	}

	b.step("nonsense", func(t *testing.T) {
		var f *fault
		b.call("workerFailures.nonsense", &f)
		if f != nil && f.Code != "busy" {
			t.Errorf("%+v", f)
		}
		b.call("workerFailures.worksAgain", nil)
	})

	b.step("abort", func(t *testing.T) {
		var wrong []string
		b.call("workerFailures.abort", &wrong, 100)
		if len(wrong) != 0 {
			t.Errorf("of 100 aborts %d gave %v", len(wrong), wrong)
		}
	})

	b.step("terminated", func(t *testing.T) {
		var r, again timed
		b.call("workerFailures.terminate", &r)
		b.call("workerFailures.generateAgain", &again)
		if r.Fault == nil || r.Fault.Code != "worker-failed" || r.Ms > 6000 || again.Fault == nil || again.Fault.Code != "worker-failed" {
			t.Errorf("%v after %.0f ms, then %v", r.Fault, r.Ms, again.Fault)
		}
		var f *fault
		if b.call("workerFailures.anotherModel", &f); f != nil {
			t.Errorf("another model: %+v", f)
		}
	})

	good := s.prelude
	for name, prelude := range map[string]string{
		"throws in a callback": `Object.defineProperty(Response.prototype, "status", { get() { throw new Error("planted"); } });`,
		"does not start":       `WebAssembly.instantiate = async () => { throw new Error("planted"); };`,
		"throws at the start":  `Object.defineProperty(globalThis, "onmessage", { set() { throw new Error("planted"); } });`,
		"has no engine":        `import "./nowhere.js";`,
	} {
		b.step(name, func(t *testing.T) {
			s.prelude = prelude + good
			defer func() { s.prelude = good }()
			var r timed
			if b.call("workerFailures.loadWithin", &r, 20000); r.Fault == nil || r.Fault.Code != "worker-failed" || r.Fault.Advice == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}
