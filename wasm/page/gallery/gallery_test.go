package gallery

import "testing"

func TestRoom(t *testing.T) {
	g := collection{}
	if g.oldest() != nil {
		t.Error("an empty gallery has an oldest picture")
	}
	for i := range 25 {
		g.saved = append(g.saved, saved{id: 25 - i, bytes: 10})
	}
	if old := g.oldest(); len(old) != 2 || old[0].id != 2 || old[1].id != 1 || g.bytes() != 250 {
		t.Errorf("the oldest are %v", old)
	}
}
