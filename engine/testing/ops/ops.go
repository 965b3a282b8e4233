package ops

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

// Case is one way to use one operation.
type Case struct {
	Kind op.Kind
	Name string
	// framed puts every tensor into the middle of a larger one.
	framed bool
	build  func(r *rig)
}

// Cases returns the list, in the order of [op.Kinds].
func Cases() []Case {
	var all []Case
	for _, cases := range [][]Case{
		matmulCases(), attentionCases(), attendCases(), layerNormCases(), qkNormRoPECases(), elementwiseCases(),
		embeddingCases(), convCases(), imageCases(), copyCases(), familyCases(), expertCases(),
	} {
		all = append(all, cases...)
	}
	return all
}

// Run runs every case on be and on ref as the sub-test Kind/Name.
func Run(t *testing.T, be, ref op.Backend) {
	all := Cases()
	for _, k := range op.Kinds() {
		t.Run(k.String(), func(t *testing.T) {
			ran := 0
			for _, c := range all {
				if c.Kind == k {
					t.Run(c.Name, func(t *testing.T) { c.Run(t, be, ref) })
					ran++
				}
			}
			if ran == 0 {
				t.Errorf("no case for %s", k)
			}
		})
	}
}

// Run runs the case on be and holds it to ref.
func (c Case) Run(t *testing.T, be, ref op.Backend) { c.run(t, be, ref, compare) }

// RunRounded is Run for a machine that rounds the operands of products to so many bits. It
// logs how far results are from ref.
func (c Case) RunRounded(t *testing.T, be, ref op.Backend, bits int) {
	c.run(t, be, ref, func(_ op.Kind, view *op.Tensor, got, want []float32) string {
		wrong, db := rounded(view, got, want, op.Rounded(bits))
		t.Logf("%.1f dB", db)
		return wrong
	})
}

func (c Case) run(t *testing.T, be, ref op.Backend, compare func(kind op.Kind, view *op.Tensor, got, want []float32) string) {
	want := execute(t, "reference", c, ref)
	got := execute(t, be.Info().Backend, c, be)
	if t.Failed() {
		return
	}
	for i := range want.results {
		w, g := want.results[i], got.results[i]
		if w.allow != nil {
			w.allow(t, got.words[i], want.words[i])
			continue
		}
		if wrong := compare(c.Kind, w.view, g.values(), w.values()); wrong != "" {
			t.Error(wrong)
		}
	}
}

// outcome is what one machine made of a case.
type outcome struct {
	results []result
	words   [][]uint32 // of the results that are U32
}

// result is a view that a case wants compared.
type result struct {
	view   *op.Tensor
	parent *parent
	// allow, for U32 results, judges them instead of the table of tolerances.
	allow func(t *testing.T, got, want []uint32)
}

// parent is a tensor made for a case, with what was written to it first and
// what it held at the end.
type parent struct {
	whole         *op.Tensor
	before, after []float32
}

func (r result) values() []float32 {
	v := make([]float32, 0, r.view.Rows*r.view.Cols)
	for row := range r.view.Rows {
		at := r.view.Offset + row*r.view.Stride
		v = append(v, r.parent.after[at:at+r.view.Cols]...)
	}
	return v
}

// execute runs a case on one machine and checks that nothing outside its
// results was changed.
func execute(t *testing.T, who string, c Case, be op.Backend) outcome {
	t.Helper()
	ctx := context.Background()
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%s", c.Kind, c.Name)
	r := &rig{t: t, be: be, framed: c.framed, list: op.NewList(c.Name), rng: rand.New(rand.NewPCG(h.Sum64(), 1))}
	defer func() { be.Free(r.made...) }()
	c.build(r)
	must(t, who+": record", r.list.Err())
	p, err := be.Compile(ctx, r.list)
	must(t, who+": compile", err)
	defer p.Close()
	must(t, who+": run", p.Run(ctx))
	must(t, who+": sync", be.Sync(ctx))

	o := outcome{results: r.results, words: make([][]uint32, len(r.results))}
	for _, q := range r.parents {
		q.after, err = be.Read(ctx, q.whole)
		must(t, who+": read", err)
	}
	for i, res := range r.results {
		if res.parent == nil {
			o.words[i], err = be.ReadU32(ctx, res.view)
			must(t, who+": read", err)
		}
	}
	for _, q := range r.parents {
		if wrong := q.touched(r.results); wrong != "" {
			t.Errorf("%s: %s", who, wrong)
		}
	}
	return o
}

// touched tells which element that belongs to no result has changed, or nothing.
func (q *parent) touched(results []result) string {
	if len(q.after) != len(q.before) {
		return fmt.Sprintf("reading %s gave %d elements, want %d", q.whole, len(q.after), len(q.before))
	}
	written := make([]bool, len(q.before))
	for _, res := range results {
		if res.parent != q {
			continue
		}
		for row := range res.view.Rows {
			at := res.view.Offset + row*res.view.Stride
			for i := at; i < at+op.Pad(res.view.Cols); i++ {
				written[i] = true
			}
		}
	}
	bad, first := 0, 0
	for i, b := range q.before {
		a := q.after[i]
		if written[i] || a == b || (a != a && b != b) {
			continue
		}
		if bad == 0 {
			first = i
		}
		bad++
	}
	if bad == 0 {
		return ""
	}
	return fmt.Sprintf("outside the result in %s, elements changed: %d; the first, row %d, column %d, was %g and is %g",
		q.whole, bad, first/q.whole.Stride, first%q.whole.Stride, q.before[first], q.after[first])
}

// compare holds got to want by the tolerance of kind and tells the worst
// element, or nothing.
func compare(kind op.Kind, view *op.Tensor, got, want []float32) string {
	tol := kind.Tolerance()
	var sum float64
	for i, w := range want {
		if v := float64(w); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprintf("reference: %s row %d, column %d is %g", view, i/view.Cols, i%view.Cols, w)
		}
		sum += float64(w) * float64(w)
	}
	scale := math.Sqrt(sum / float64(len(want)))
	allowed := func(w float32) float64 { return tol.Abs*scale + tol.Rel*math.Abs(float64(w)) }
	bad, worst, worstBy := 0, 0, 0.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if d <= allowed(w) {
			continue
		}
		by := d / allowed(w)
		if math.IsNaN(d) {
			by = math.Inf(1)
		}
		if bad == 0 || by > worstBy {
			worst, worstBy = i, by
		}
		bad++
	}
	if bad == 0 {
		return ""
	}
	g, w := got[worst], want[worst]
	return fmt.Sprintf("%s: %d of %d elements are wrong; the worst is row %d, column %d: got %.9g, want %.9g (off by %.3g, allowed %.3g; rms %.4g)",
		view, bad, len(want), worst/view.Cols, worst%view.Cols, g, w, math.Abs(float64(g)-float64(w)), allowed(w), scale)
}

// rounded holds the errors of got, as a whole, to a share of the root mean square of want.
func rounded(view *op.Tensor, got, want []float32, share float64) (wrong string, db float64) {
	var sum, off, most float64
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Sprintf("%s row %d, column %d is %g, want %.9g", view, i/view.Cols, i%view.Cols, got[i], w), 0
		}
		sum += float64(w) * float64(w)
		off += d * d
		most = max(most, d)
	}
	n := float64(len(want))
	scale := math.Sqrt(sum / n)
	if rms := math.Sqrt(off / n); rms > share*scale || most > 10*share*scale {
		wrong = fmt.Sprintf("%s: off by %.3g, at most %.3g; allowed %.3g and %.3g", view, rms, most, share*scale, 10*share*scale)
	}
	return wrong, 10 * math.Log10(sum/max(off, 1e-30))
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
