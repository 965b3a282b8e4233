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

// info is what the API tells of a model that is loaded.
type info struct {
	Backend, Adapter, Model, Precision string
	Bytes                              int64
	Blocks                             struct{ Double, Single int }
	Sizes                              []any
	Steps, MaxSteps                    int
}

// loadAPI opens an empty page of the site and loads its model as a host page does.
func loadAPI(t *testing.T, s *server) (b *tab, i info) {
	t.Helper()
	b = open(t, s.URL+"/blank.html", options{})
	b.call("host.load", &i)
	if i.Backend != "webgpu" || i.Bytes == 0 || i.Blocks.Single == 0 || len(i.Sizes) == 0 || i.MaxSteps == 0 {
		t.Fatalf("info is %+v", i)
	}
	return b, i
}

// TestBrowserAPIStop loads the shipped model and stops a picture in the middle of steps that
// take seconds.
func TestBrowserAPIStop(t *testing.T) {
	b, i := loadAPI(t, serve(t))
	t.Logf("%s %s on %s", i.Model, i.Precision, i.Adapter)
	b.step("progress", func(t *testing.T) { b.progress(t, i.Bytes) })
	b.step("stop", func(t *testing.T) { b.stopAPI(t) })
	b.silent(t)
}

// progress checks what loading has told.
func (b *tab) progress(t *testing.T, bytes int64) {
	var p []struct {
		Stage       string
		Done, Total int64
	}
	b.call("host.progress", &p)
	var stages []string
	last := int64(-1)
	for _, x := range p {
		if len(stages) == 0 || stages[len(stages)-1] != x.Stage {
			stages = append(stages, x.Stage)
		}
		if x.Stage == "download" {
			if x.Done < last || x.Total != bytes {
				t.Errorf("%+v after %d of %d", x, last, bytes)
			}
			last = x.Done
		}
	}
	if got := strings.Join(stages, " "); got != "device download prepare" || last != bytes {
		t.Errorf("the stages are %q and end at %d of %d bytes", got, last, bytes)
	}
}

func (b *tab) stopAPI(t *testing.T) {
	var r struct {
		Fault         fault
		Ms            float64
		Submits, Then int
		After         made
	}
	b.call("host.stop", &r, 2000)
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
}

// TestBrowserAPI uses the API as a host page does, without the page.
func TestBrowserAPI(t *testing.T) {
	t.Parallel()
	b, i := loadAPI(t, quantizedSite(t))
	b.step("progress", func(t *testing.T) { b.progress(t, i.Bytes) })
	b.step("result", func(t *testing.T) { b.result(t, i.Model) })
	b.step("guidance", func(t *testing.T) { b.guidance(t) })
	b.step("refusals", func(t *testing.T) {
		b.refusedRequests(t)
		b.refusedLoads(t)
		b.busy(t)
	})
	b.step("device loss", func(t *testing.T) {
		var r struct {
			Before, During, After made
			Recovered             int
		}
		b.call("host.loseDevice", &r)
		if r.During.Hash != r.Before.Hash || r.Recovered != 1 {
			t.Errorf("when the GPU was taken away %+v became %+v, recovered %d", r.Before, r.During, r.Recovered)
		}
		if r.After.Hash != r.Before.Hash {
			t.Error("on the new device the same seed gives another picture")
		}
	})
	b.step("close", func(t *testing.T) {
		var r struct{ Running, After fault }
		b.call("host.close", &r)
		if r.Running.Code != "closed" || r.After.Code != "closed" {
			t.Errorf("%+v", r)
		}
	})
	b.silent(t)
}

// result looks at all that a picture comes with.
func (b *tab) result(t *testing.T, model string) {
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
	b.call("host.result", &r)
	if r.Picture.Colours < 100 || r.Picture.Seed != 3 || len(r.Picture.Timings.StepsMs) != 2 || r.Picture.Timings.TotalMs <= 0 {
		t.Errorf("the picture is %+v", r.Picture)
	}
	if p := r.Parameters; p.Prompt != "a blue cat" || p.Seed != 3 || p.Steps != 2 || p.Model != model || p.Plan == "" || p.Backend != "webgpu" || p.Guidance[0].Positive != "at night" {
		t.Errorf("its parameters are %+v", p)
	}
	if len(r.Steps) != 2 || r.Steps[0].Step != 1 || r.Steps[1].Step != 2 || r.Steps[0].Width < 4 {
		t.Errorf("the steps were %+v", r.Steps)
	}
	if r.Blob.Type != "image/png" || r.Blob.Head != "PNG" || r.Wrong.Code != "encode-unsupported" {
		t.Errorf("as a file it is %+v, as JPEG %+v", r.Blob, r.Wrong)
	}
}

// guidance makes a picture with different directions.
func (b *tab) guidance(t *testing.T) {
	var r map[string]made
	b.call("host.guidance", &r, "sharp", "plain", 3)
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
}

// refusedRequests asks for what cannot be made; each is refused with its code and a
// sentence that names the value and the limit.
func (b *tab) refusedRequests(t *testing.T) {
	type m = map[string]any
	term := func(more m) m {
		if _, ok := more["weight"]; !ok {
			more["weight"] = 1
		}
		return m{"guidance": []any{more}}
	}
	check := func(request any, f *fault, code, says string) {
		t.Helper()
		if f == nil || f.Code != code || !strings.Contains(f.Message, says) || f.Advice == "" {
			t.Errorf("%.200v: %+v, wanted %s and %q", request, f, code, says)
		}
	}
	for _, c := range []struct {
		request    any
		code, says string
	}{
		{m{"prompt": strings.Repeat("frog ", 200000)}, "prompt-too-long", "4096"},
		{m{"prompt": strings.Repeat("ä", 2049)}, "prompt-too-long", "4098"},
		{m{"prompt": "\x00\x01\u00ff"}, "prompt-not-text", "U+0000"},
		{m{"prompt": 7}, "prompt-not-text", "7"},
		{m{"seed": -1}, "seed-range", "4294967295"},
		{m{"seed": 4294967296}, "seed-range", "4294967296"},
		{m{"seed": 1.5}, "seed-range", "1.5"},
		{m{"seed": "7"}, "seed-range", `"7"`},
		{m{"steps": 0}, "steps-range", "from 1"},
		{m{"steps": 1e9}, "steps-range", "1000000000"},
		{m{"size": 100}, "size-unsupported", "24"},
		{m{"cfg": 31}, "cfg-range", "30"},
		{m{"ablate": "pooled"}, "request-invalid", "an object"},
		{m{"ablate": m{"pooled": "half"}}, "request-invalid", `"half"`},
		{m{"ablate": m{"tokens": 0}}, "request-invalid", "0"},
		{m{"ablate": m{"prompt": "a cat"}}, "request-invalid", "a cat"},
		{m{"guidance": m{}}, "guidance-invalid", "a list"},
		{m{"guidance": []any{nil}}, "guidance-invalid", "null"},
		{m{"guidance": []any{m{"positive": "x"}}}, "guidance-invalid", "weight"},
		{term(m{"positive": "x", "weight": 1e6}), "guidance-invalid", "1e+06"},
		{m{"guidance": []any{m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}, m{"weight": 1}}}, "guidance-invalid", "9"},
		{term(m{"schedule": m{"kind": "spiral"}}), "guidance-invalid", "spiral"},
		{term(m{"schedule": m{"kind": "step", "start": 999}}), "guidance-invalid", "999"},
		{term(m{"schedule": m{"kind": "step", "begin": 1}}), "request-invalid", "begin"},
		{nil, "request-invalid", "null"},
	} {
		var f *fault
		b.call("host.refusedRequest", &f, c.request)
		check(c.request, f, c.code, c.says)
	}
	for _, c := range []struct{ name, code, says string }{
		{"half a character", "prompt-not-text", "half"},
		{"NaN seed", "seed-range", "NaN"},
		{"infinite cfg", "cfg-range", "Infinity"},
		{"NaN weight", "guidance-invalid", "NaN"},
		{"infinite head", "guidance-invalid", "head"},
		{"NaN in a table", "guidance-invalid", "NaN"},
		{"schedule in itself", "guidance-invalid", "schedule"},
		{"aborted", "aborted", ""},
	} {
		var f *fault
		b.call("host.refusedSpecial", &f, c.name)
		check(c.name, f, c.code, c.says)
	}
}

func (b *tab) refusedLoads(t *testing.T) {
	const address = "models/sprites/model.json"
	for _, c := range []struct {
		function  string
		arguments []any
		code      string
	}{
		{"host.refusedLoad", []any{address, map[string]any{"device": "quantum"}}, "backend-missing"},
		{"host.refusedLoad", []any{address, map[string]any{"store": "yes"}}, "request-invalid"},
		{"host.refusedLoad", []any{address, map[string]any{"tune": "yes"}}, "request-invalid"},
		{"host.refusedLoad", []any{"data:text/json,{}"}, "request-invalid"},
		{"host.refusedLoad", []any{"http://["}, "request-invalid"},
		{"host.refusedAbortedLoad", []any{address}, "aborted"},
	} {
		var f *fault
		b.call(c.function, &f, c.arguments...)
		if f == nil || f.Code != c.code || f.Advice == "" {
			t.Errorf("%s%v: %+v, wanted %s", c.function, c.arguments, f, c.code)
		}
	}
}

// busy asks for a second picture while one is made.
func (b *tab) busy(t *testing.T) {
	var r struct {
		Busy  fault
		First made
	}
	b.call("host.busy", &r)
	if r.Busy.Code != "busy" || r.First.Colours < 100 {
		t.Errorf("a second request at the same time: %+v", r)
	}
}
