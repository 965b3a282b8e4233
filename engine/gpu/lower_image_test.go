//go:build !js

package gpu

import (
	"testing"

	"undertone/engine/op"
)

// TestUpsampleIntoConvolution: a convolution reads the picture before Upsample itself, where nothing
// else needs the doubled one.
func TestUpsampleIntoConvolution(t *testing.T) {
	const h, w = 4, 6
	weight := func() *op.Tensor {
		return op.NewStorage("w", op.Weight, op.F32, 8, 9*4)
	}
	for name, c := range map[string]struct {
		record func(l *op.List, x *op.Tensor)
		passes int // of Upsample
	}{
		"whole": {func(l *op.List, x *op.Tensor) {
			l.Conv3x3(l.Upsample(x, h, w, nil), 2*h, 2*w, weight(), nil, nil, op.None, nil)
		}, 0},
		"a strip": {func(l *op.List, x *op.Tensor) {
			l.Conv3x3(l.Upsample(x, h, w, nil).Slice(2*w, 2*w*(2*h-1)), 2*h-2, 2*w, weight(), nil, nil, op.None, nil)
		}, 0},
		"it is read again": {func(l *op.List, x *op.Tensor) {
			up := l.Upsample(x, h, w, nil)
			l.Activation(l.Conv3x3(up, 2*h, 2*w, weight(), nil, nil, op.None, nil), op.ReLU, nil)
			l.Activation(up, op.ReLU, nil)
		}, 1},
		"something comes between": {func(l *op.List, x *op.Tensor) {
			up := l.Upsample(x, h, w, nil)
			l.Activation(x, op.ReLU, x)
			l.Conv3x3(up, 2*h, 2*w, weight(), nil, nil, op.None, nil)
		}, 1},
		"half a line is left out": {func(l *op.List, x *op.Tensor) {
			l.Conv3x3(l.Upsample(x, h, w, nil).Slice(w, w+2*w*(2*h-1)), 2*h-1, 2*w, weight(), nil, nil, op.None, nil)
		}, 1},
		"others than temporaries": {func(l *op.List, x *op.Tensor) {
			up := op.NewStorage("kept", op.Fixed, op.F32, 4*h*w, 4)
			l.Conv3x3(l.Upsample(x, h, w, up), 2*h, 2*w, weight(), nil, nil, op.None, nil)
		}, 1},
	} {
		for device, caps := range devices() {
			l := op.NewList("test")
			x := l.Temp(h*w, 4)
			l.Activation(op.NewStorage("x", op.Fixed, op.F32, h*w, 4), op.None, x)
			c.record(l, x)
			steps, err := lower(l, caps)
			if err != nil {
				t.Fatal(err)
			}
			passes := 0
			for _, s := range steps {
				if s.Kernel.File == "upsample" {
					passes++
				}
			}
			if passes != c.passes {
				t.Errorf("%s on %s: %d passes that double, want %d", name, device, passes, c.passes)
			}
		}
	}
}
