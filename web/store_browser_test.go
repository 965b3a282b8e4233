package web

import "testing"

// TestBrowserSmallModel makes a picture with the model that other tests use.
func TestBrowserSmallModel(t *testing.T) {
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{})
	var r struct {
		First, Again made
		Ms           float64
	}
	b.eval(`
		const api = await import("/undertone.js");
		const u = await api.Undertone.load("models/sprites/model.json");
		const first = await test.picture(await u.generate({ prompt: "a blue frog at night" }));
		const at = performance.now();
		const again = await test.picture(await u.generate({ prompt: "a blue frog at night" }));
		const ms = performance.now() - at;
		u.close();
		return { first, again, ms };`, &r)
	if r.First.Hash != r.Again.Hash || r.First.Colours < 16 {
		t.Errorf("%+v", r)
	}
	t.Logf("%.0f ms per picture, %d colours", r.Ms, r.First.Colours)
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}
