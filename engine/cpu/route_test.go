package cpu

import (
	"context"
	"math"
	"testing"

	"undertone/engine/op"
)

// As many experts are chosen as are active, whatever the logits are: of equal ones the
// first, and NaN before all numbers. A row with NaN has shares of NaN.
func TestRouteOfAnything(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		logits [4]float32
		want   [2]int
	}{
		{[4]float32{1, 1, 1, 1}, [2]int{0, 1}}, {[4]float32{0, 2, 2, 2}, [2]int{1, 2}}, {[4]float32{3, 2, 1, 3}, [2]int{0, 3}},
		{[4]float32{-inf, -inf, 5, -inf}, [2]int{0, 2}}, {[4]float32{0, float32(math.Copysign(0, -1)), 0, 0}, [2]int{0, 1}},
		{[4]float32{nan, 3, 2, 1}, [2]int{0, 1}}, {[4]float32{3, 2, 1, nan}, [2]int{0, 3}}, {[4]float32{nan, nan, nan, nan}, [2]int{0, 1}}, {[4]float32{inf, nan, 1, nan}, [2]int{1, 3}},
	} {
		be := New(Options{})
		logits, err := be.New("logits", op.F32, 1, 4)
		if err == nil {
			err = be.Write(logits, c.logits[:])
		}
		out, err2 := be.New("lists", op.F32, 8, op.ListHead+1)
		l := op.NewList("route")
		l.Route(logits, 2, out)
		p, err3 := be.Compile(context.Background(), l)
		for _, err := range []error{err, err2, err3} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		lists, err := be.Read(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		bad := false
		for _, v := range c.logits {
			bad = bad || v != v
		}
		for e := range 4 {
			list, share := lists[2*e*(op.ListHead+1):], lists[(2*e+1)*(op.ListHead+1)+op.ListHead]
			chosen := e == c.want[0] || e == c.want[1]
			if (list[0] == 1) != chosen || chosen && bad != (share != share) {
				t.Errorf("%v: expert %d has %g rows and the share %g, chosen are %v", c.logits, e, list[0], share, c.want)
			}
		}
		be.Close()
	}
}
