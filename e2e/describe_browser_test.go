package e2e

import (
	"net/http"
	"testing"
)

// TestBrowserDescribe asks what a model offers without loading it: the answer is the
// file that lies beside its model.json, and what info says once it is loaded.
func TestBrowserDescribe(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.misbehave("/bad/model.json", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"format":"undertone-model","version":99}`))
	})
	b := open(t, s.URL+"/blank.html", options{})
	var got struct {
		Same, Info          bool
		Bytes, Memory, Bits int64
		FLOPs               float64 `json:"flops"`
	}
	b.eval(`
		const { Undertone } = globalThis.api = await import("/undertone.js");
		const address = "models/sprites/model.json";
		const described = await Undertone.describe(address);
		const file = await (await fetch("models/sprites/description.json")).json();
		const u = await Undertone.load(address, { device: "cpu" });
		const info = Object.fromEntries(Object.keys(described).map((name) => [name, u.info[name]]));
		u.close();
		const { bytes, memory, bits, flops } = described;
		return { same: JSON.stringify(file) === JSON.stringify(described), info: JSON.stringify(info) === JSON.stringify(described), bytes, memory, bits, flops }`, &got)
	if !got.Same || !got.Info || got.Bytes <= 0 || got.Memory <= got.Bytes || got.FLOPs <= 0 || got.Bits <= 0 {
		t.Errorf("described as %+v", got)
	}
	for _, c := range []struct{ arguments, code string }{
		{`"bad/model.json"`, "model-unsupported"},
		{`"models/none/model.json"`, "http-status"},
		{`"data:text/json,{}"`, "request-invalid"},
		{`"models/sprites/model.json", { signal: 1 }`, "request-invalid"},
		{`"models/sprites/model.json", { signal: AbortSignal.abort() }`, "aborted"},
	} {
		var f *fault
		b.eval(`return test.refused(api.Undertone.describe(`+c.arguments+`))`, &f)
		if f == nil || f.Code != c.code || f.Advice == "" {
			t.Errorf("describe(%s): %+v, wanted %s", c.arguments, f, c.code)
		}
	}
}
