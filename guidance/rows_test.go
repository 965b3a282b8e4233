package guidance

import (
	"reflect"
	"strings"
	"testing"
)

func TestRows(t *testing.T) {
	dirs := []Direction{{Delta: []float32{1, 2}, Weights: []float32{3, 0, -1}, Head: 0.5}, {Delta: []float32{4, 5}, Weights: []float32{0, 2, 0}}}
	opposite := []Direction{{Delta: []float32{1, 2}, Weights: []float32{-3, 0, 1}, Head: -0.5}, {Delta: []float32{4, 5}, Weights: []float32{0, -2, 0}}}
	for rows, want := range map[Rows][]Direction{"": dirs, RowsBoth: dirs, RowsCond: nil, RowsSigned: opposite} {
		if got := rows.Unconditional(dirs); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", rows, got, want)
		}
		if err := rows.Check(); err != nil {
			t.Errorf("%q: %v", rows, err)
		}
	}
	if dirs[0].Weights[0] != 3 {
		t.Error("the directions were changed")
	}
	for _, bad := range []Rows{"Both", "uncond", " "} {
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), "both, cond, signed") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
