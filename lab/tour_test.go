package lab

import (
	"encoding/json"
	"os"
	"testing"
)

// TestTour: the results that the tour shows are whole, and have what the model's card says:
// the more guidance, the more is gained, and no random direction gains anything like it.
func TestTour(t *testing.T) {
	files := map[string]*Results{}
	for _, name := range []string{"pooled", "guidance", "weight", "block"} {
		text, err := os.ReadFile("../web/tour/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		r := &Results{}
		if err := json.Unmarshal(text, r); err != nil || r.Experiment != name || !r.Whole || len(r.Thumbs) == 0 {
			t.Fatalf("%s: %d rows, %d pictures, whole: %v, %v", name, len(r.Rows), len(r.Thumbs), r.Whole, err)
		}
		if said, _ := r.Conclude(); said == "" {
			t.Errorf("%s concludes nothing", name)
		}
		files[name] = r
	}
	last := map[string]Mean{}
	for _, m := range files["guidance"].Means {
		before, ok := last[m.Series]
		if last[m.Series] = m; m.Series == "every block" && ok && m.High < before.Low {
			t.Errorf("a weight of %g gains %.3g to %.3g, one of %g only %.3g to %.3g", before.X, before.Low, before.High, m.X, m.Low, m.High)
		}
	}
	if all, random := last["every block"], last[randomSeries]; !(all.Low > max(10, 2*random.High)) {
		t.Errorf("guidance gains %.3g to %.3g, a random direction %.3g to %.3g", all.Low, all.High, random.Low, random.High)
	}
}
