package gpu

import (
	"reflect"
	"strings"
	"testing"

	"undertone/engine/op"
)

// shapesOf has one operation of each kind that is measured.
func shapesOf() *op.List {
	l := op.NewList("shapes")
	l.MatMul(op.NewStorage("a", op.Fixed, op.F32, 96, 256), matrix(op.Q8_0, 1024, 256), op.Epilogue{})
	y := op.NewStorage("y", op.Fixed, op.F32, 96, 4*256)
	l.Attend(op.AttentionOp{Q: y.Columns(0, 256), K: y.Columns(256, 512), V: y.Columns(512, 768), Out: y.Columns(768, 1024), Heads: 4, HeadDim: 64})
	x := op.NewStorage("x", op.Fixed, op.F32, 32*32, 64)
	l.Conv3x3(x, 32, 32, op.NewStorage("w", op.Weight, op.F32, 64, 64*9), nil, nil, op.None, nil)
	return l
}

// TestChoices takes what was chosen for a shape, for that shape alone, where it can be.
func TestChoices(t *testing.T) {
	l := shapesOf()
	kernels := func(choices Choices) (all []string) {
		caps := PortableFloor
		caps.Choices = choices
		steps, err := lower(l, caps)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			all = append(all, s.Kernel.key())
		}
		return all
	}
	usual := kernels(nil)
	if len(usual) != 3 {
		t.Fatalf("%d launches, want 3", len(usual))
	}
	for i, c := range []struct{ shape, variant, text string }{
		{"MatMul 96×1024×256 Q8_0", "tile 128×128", "const TILE_M: u32 = 128u"},
		{"Attention 96×96, heads 4/4×64", "tile 32 queries", "const TY: u32 = 8u"},
		{"Conv3x3 32×32, 64 to 64", "tile 8×2", "const P: u32 = 8u"},
	} {
		got := kernels(Choices{c.shape: c.variant})
		for k := range got {
			if (k == i) != (got[k] != usual[k]) {
				t.Errorf("%s: launch %d is\n%s\nand usually\n%s", c.shape, k, got[k], usual[k])
			}
		}
		if !strings.Contains(got[i], c.text) {
			t.Errorf("%s: %s is not in\n%s", c.variant, c.text, got[i])
		}
		for _, name := range []string{"cpu", "tile 7×7", ""} {
			if got := kernels(Choices{c.shape: name}); !reflect.DeepEqual(got, usual) {
				t.Errorf("%s: %q, which this device does not have, changed the kernels", c.shape, name)
			}
		}
	}
	caps := PortableFloor
	caps.Prefer, caps.Choices = "tile 32×32", Choices{"MatMul 96×1024×256 Q8_0": "tile 128×128"}
	steps, err := lower(l, caps)
	if err != nil || !strings.Contains(steps[0].Kernel.Prelude, "const TILE_M: u32 = 32u") {
		t.Errorf("with another preferred the choice is taken: %v", err)
	}
	if planID(caps) == planID(PortableFloor) {
		t.Error("the plan does not depend on what is chosen")
	}
}

// TestAttentionShapes: what decides which kernels fit an attention, or how much they have to do, is in its name.
func TestAttentionShapes(t *testing.T) {
	y := op.NewStorage("y", op.Fixed, op.F32, 96, 4*256)
	plain := op.AttentionOp{Q: y.Columns(0, 256), K: y.Columns(256, 512), V: y.Columns(512, 768), Out: y.Columns(768, 1024), Heads: 4, KVHeads: 4, HeadDim: 64}
	causal, apart, biased, masked := plain, plain, plain, plain
	causal.Causal = true
	apart.Out = op.NewStorage("out", op.Fixed, op.F32, 96, 256)
	biased.Bias, masked.Mask = op.NewStorage("bias", op.Fixed, op.F32, 4, 96*96), op.NewStorage("mask", op.Fixed, op.F32, 1, 96)
	seen := map[string]bool{}
	for _, n := range []*op.AttentionOp{&plain, &causal, &apart, &biased, &masked} {
		seen[attentionShape(n)] = true
	}
	if len(seen) != 5 {
		t.Errorf("five different attentions have %d names: %v", len(seen), seen)
	}
}

// TestUnmeasuredCounts: how many rows a list names changes from run to run.
func TestUnmeasuredCounts(t *testing.T) {
	l := op.NewList("counted")
	list := op.NewStorage("list", op.Fixed, op.F32, 1, op.ListHead+96)
	l.MatMul(op.NewStorage("a", op.Fixed, op.F32, 96, 256), matrix(op.Q8_0, 1024, 256), op.Epilogue{Counted: op.Counted{List: list, Share: 0.5}})
	if err := l.Err(); err != nil {
		t.Fatal(err)
	}
	if shape := operations[op.MatMul].shape(l.Nodes[0]); shape != "" {
		t.Errorf("it has the shape %q", shape)
	}
}
