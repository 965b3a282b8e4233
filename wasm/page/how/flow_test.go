package how

import (
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/guidance"
	"undertone/wasm/page/app"
	"undertone/wasm/page/apptest"
	"undertone/wasm/page/words"
)

func TestFlow(t *testing.T) {
	words.Use(words.Languages[0])
	m, err := app.NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	f := app.NewForm(m) // the schedule begins at block 1
	f.Edit(func(t *recipe.Term) { t.Weight = -2 })
	r := f.Made()
	if got := added(r, m); got != "−2 × Detail" {
		t.Errorf("added is %q", got)
	}
	if got := pushes(r, 4); !slices.Equal(got, []float64{0, 2, 2, 2}) {
		t.Errorf("the blocks are pushed by %v", got)
	}
	if got := added(r.Plain(), m); got != "Without guidance" || slices.Max(pushes(r.Plain(), 4)) != 0 {
		t.Errorf("without guidance %q is added", got)
	}
	f.AddTerm(recipe.Term{Positive: strings.Repeat("é", 40), Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}})
	if got := added(f.Made(), m); got != "Detail + "+strings.Repeat("é", 12)+"…" {
		t.Errorf("of two directions it says %q", got)
	}
	if got := pushes(f.Made(), 4); !slices.Equal(got, []float64{1, 3, 3, 3}) {
		t.Errorf("two directions push the blocks by %v", got)
	}
	one := app.Recipe{Guidance: f.Guidance[1:]}
	if got := added(one, m); got != "1 × "+strings.Repeat("é", 17)+"…" {
		t.Errorf("a long name is %q", got)
	}
	f.Edit(func(t *recipe.Term) { t.Weight = math.NaN() })
	if got := pushes(f.Made(), 4); !slices.Equal(got, []float64{0, 2, 2, 2}) || added(f.Made(), m) != "…" {
		t.Errorf("a weight that is no number gives %v", got)
	}
}

func TestBars(t *testing.T) {
	if got := bars([]float64{0, 2, 8}, 0, 30, 50, 40); got != "M1.2 50.0v-1.0h7.6V50.0zM11.2 50.0v-10.0h7.6V50.0zM21.2 50.0v-40.0h7.6V50.0z" {
		t.Errorf("the bars are %s", got)
	}
	if got := bars([]float64{4}, 0, 10, 50, 40); got != "M1.2 50.0v-40.0h7.6V50.0z" {
		t.Errorf("one bar is %s", got)
	}
}
