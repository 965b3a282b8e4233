package gpu

import (
	"context"
	"math"
	"slices"
	"testing"

	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// TestLaunchesCut runs products, attention and convolutions in as many launches as they
// have rows of workgroups. Every bit is as in one launch.
func TestLaunchesCut(t *testing.T) {
	names := map[op.Kind][]string{
		op.MatMul: {"97x65x256_q8_0_bias_gate_residual_inplace_framed", "70x72x64_q4_0_bias_gelu_from32_gap20at32_framed", "33x65x129_f16_skip6_framed",
			"65x37x1101_f32_bias_gelu_gate_residual_inplace_framed"},
		op.Attention: {"s65_heads3x64_framed", "s97_heads2x20_causal_framed", "views_s31_t31_heads3.3x64_bias_heads_framed", "views_s65_t65_heads4.1x80_causal_mask_framed"},
		op.Conv3x3:   {"17x13_7to11_F32_bias_gelu_residual_inplace_framed", "11x19_20to36_F32_quick_gelu_residual_other_framed"},
	}
	for _, o := range []Options{{Portable: true}, {Hardware: true, Portable: true}} {
		d := open(t, o)
		submit := d.submit
		ran := 0
		for _, c := range ops.Cases() {
			if !slices.Contains(names[c.Kind], c.Name) {
				continue
			}
			ran++
			t.Run(c.Kind.String()+"/"+c.Name, func(t *testing.T) {
				one, many := &seen{Device: d, submit: submit}, &seen{Device: d, submit: 1. / launchSubmits}
				c.Run(t, many, one)
				if one.launches >= many.launches {
					t.Errorf("%d launches were cut into %d", one.launches, many.launches)
				}
				if !slices.Equal(one.bits, many.bits) {
					t.Errorf("in %d launches other numbers than in %d", many.launches, one.launches)
				}
			})
		}
		if ran != 10 {
			t.Errorf("%d of 10 cases exist", ran)
		}
	}
}

// seen is a device that keeps what is read from it, and counts launches.
type seen struct {
	*Device
	submit   float64 // most arithmetic of a submit
	launches int
	bits     []uint32
}

func (s *seen) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	old := s.Device.submit
	defer func() { s.Device.submit = old }()
	s.Device.submit = s.submit
	p, err := s.Device.Compile(ctx, l)
	if err == nil {
		s.launches += p.Stats().Dispatches
	}
	return p, err
}

func (s *seen) Read(ctx context.Context, t *op.Tensor) ([]float32, error) {
	x, err := s.Device.Read(ctx, t)
	for _, v := range x {
		s.bits = append(s.bits, math.Float32bits(v))
	}
	return x, err
}
