package gpu

import (
	"os"
	"slices"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// TestAttentionBlocks runs the blocks of attention, which are not chosen by themselves. A
// software adapter, which takes seconds to compile one, is given some cases of each;
// UNDERTONE_ALL_KERNELS=1 gives it all.
func TestAttentionBlocks(t *testing.T) {
	some := map[string][]string{
		"block 64×64":               {"s97_heads2x20_causal_framed", "views_s6_t70_heads1.1x512_bias_heads_framed"},
		"block 64×64 in 32 KiB":     {"s63_heads2x128_causal_framed"},
		"block 64×64 of 64 threads": {"s65_heads3x64_framed"},
		"block 32×64":               {"views_s65_t65_heads4.1x80_causal_mask_framed", "views_s70_t3_heads2.1x40_framed"},
	}
	d := open(t, Options{Hardware: true})
	all := !d.info.Software || os.Getenv("UNDERTONE_ALL_KERNELS") != ""
	ran := 0
	for _, name := range d.Variants(op.Attention) {
		if !strings.HasPrefix(name, "block") {
			continue
		}
		if len(some[name]) == 0 {
			t.Errorf("no case for %s", name)
		}
		d.Prefer(name)
		for _, c := range ops.Cases() {
			if c.Kind == op.Attention && (all || slices.Contains(some[name], c.Name)) {
				t.Run(name+"/"+c.Name, func(t *testing.T) { c.Run(t, d, cpu.New(cpu.Options{})) })
				ran++
			}
		}
	}
	if ran < 5 {
		t.Errorf("%d cases ran", ran)
	}
}
