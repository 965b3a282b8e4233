package ops

import (
	"math"
	"strings"
	"testing"

	"undertone/engine/op"
)

func TestCasesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		name := c.Kind.String() + "/" + c.Name
		if seen[name] || strings.ContainsAny(c.Name, " /") {
			t.Errorf("%q is there twice, or cannot be named with -run", name)
		}
		seen[name] = true
	}
}

func TestCompare(t *testing.T) {
	view := op.NewStorage("x", op.Fixed, op.F32, 2, 2)
	want := []float32{3, -4, 0, 5}
	nan := float32(math.NaN())
	for _, c := range []struct {
		kind  op.Kind
		got   []float32
		names []string // parts of the complaint; none means within tolerance
	}{
		{op.Copied, []float32{3, -4, 0, 5}, nil},
		{op.Copied, []float32{3, -4, 1e-38, 5}, []string{"1 of 4", "row 1, column 0", "got 9.99", "want 0"}},
		// MatMul allows 2e-5 of the root mean square, √12.5, and 1e-5 of the element.
		{op.MatMul, []float32{3.0001, -4.0001, 7e-5, 5.0001}, nil},
		{op.MatMul, []float32{3, -4, 7.2e-5, 5.0002}, []string{"2 of 4", "row 1, column 1", "got 5.00019", "want 5"}},
		{op.MatMul, []float32{3, nan, 0, 900}, []string{"2 of 4", "row 0, column 1", "NaN", "want -4"}},
		{op.MatMul, []float32{3, -4, 0, float32(math.Inf(1))}, []string{"1 of 4", "+Inf"}},
	} {
		wrong := compare(c.kind, view, c.got, want)
		if (wrong == "") != (c.names == nil) {
			t.Errorf("%s, %v: %q", c.kind, c.got, wrong)
		}
		for _, n := range c.names {
			if !strings.Contains(wrong, n) {
				t.Errorf("%q does not name %q", wrong, n)
			}
		}
	}
	if wrong := compare(op.MatMul, view, want, []float32{0, 0, nan, 0}); !strings.Contains(wrong, "reference") {
		t.Errorf("a reference that is NaN gave %q", wrong)
	}
}

func TestTouched(t *testing.T) {
	// A result of 1×3 in the middle of 3×12: its fourth column is padding.
	whole := op.NewStorage("x", op.Fixed, op.F32, 3, 12)
	view := whole.Slice(1, 2).Columns(4, 7)
	for _, c := range []struct {
		at    int // the element that changes
		value float32
		names []string
	}{
		{12 + 4, 9, nil}, {12 + 6, 9, nil}, {12 + 7, 9, nil}, // the result and its padding
		{0, float32(math.NaN()), nil}, // what was NaN still is
		{12 + 8, 9, []string{"elements changed: 1;", "row 1, column 8", "is 9"}},
		{12 + 3, 9, []string{"row 1, column 3"}},
		{4, 0, []string{"row 0, column 4"}},
		{24 + 4, 0, []string{"row 2, column 4"}},
	} {
		q := &parent{whole: whole, before: make([]float32, 36)}
		for i := range q.before {
			q.before[i] = poison(i)
		}
		q.after = append([]float32(nil), q.before...)
		q.after[c.at] = c.value
		wrong := q.touched([]result{{view: view, parent: q}})
		if (wrong == "") != (c.names == nil) {
			t.Errorf("element %d: %q", c.at, wrong)
		}
		for _, n := range c.names {
			if !strings.Contains(wrong, n) {
				t.Errorf("%q does not name %q", wrong, n)
			}
		}
	}
}
