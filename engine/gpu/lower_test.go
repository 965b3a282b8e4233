package gpu

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

func TestCheckRefuses(t *testing.T) {
	x := op.NewStorage("x", op.Fixed, op.F32, 1, 4).Storage
	y := op.NewStorage("y", op.Fixed, op.F32, 1, 4).Storage
	good := Launch{Bind: []Binding{{Storage: x}, {Storage: y, Write: true}}, Groups: [3]int{1, 1, 1}}
	if err := check(good, PortableFloor); err != nil {
		t.Fatal(err)
	}
	twice := Launch{Bind: []Binding{{Storage: x}, {Storage: x}}, Groups: [3]int{maxGroups, 1, 1}}
	if err := check(twice, PortableFloor); err != nil {
		t.Errorf("reading a buffer through two bindings: %v", err)
	}
	for name, c := range map[string]struct {
		change func(l *Launch)
		code   fault.Code
	}{
		"no groups":       {func(l *Launch) { l.Groups[1] = 0 }, fault.LimitExceeded},
		"too many groups": {func(l *Launch) { l.Groups[0] = maxGroups + 1 }, fault.LimitExceeded},
		"parameters":      {func(l *Launch) { l.Params = make([]uint32, 65) }, fault.Internal},
		"buffers":         {func(l *Launch) { l.Bind = make([]Binding, 9) }, fault.LimitExceeded},
		"no storage":      {func(l *Launch) { l.Bind = []Binding{{}} }, fault.Internal},
		"aliasing":        {func(l *Launch) { l.Bind = []Binding{{Storage: x}, {Storage: x, Write: true}} }, fault.Internal},
	} {
		l := good
		c.change(&l)
		if err := check(l, PortableFloor); !fault.Is(err, c.code) {
			t.Errorf("%s: %v, want the fault %s", name, err, c.code)
		}
	}
}

func TestFlattenSplits(t *testing.T) {
	steps := make([]step, 10)
	for i := range steps {
		steps[i] = step{flops: 1e9}
		steps[i].Groups = [3]int{i + 1, 2, 3}
	}
	steps[5].flops = 1e10 // more than a submit may hold: alone
	cmd := flatten(steps, make([]uint32, 10), Caps{}.submitLimit())
	if got, want := cmd.splits, []int{0, 4, 5, 6, 10}; !slices.Equal(got, want) {
		t.Errorf("split at %v, want %v", got, want)
	}
	if want := []float64{4e9, 1e9, 1e10, 4e9}; !slices.Equal(cmd.work, want) {
		t.Errorf("the submits hold %v, want %v", cmd.work, want)
	}
	if len(cmd.words) != 10*recordWords || cmd.words[3*recordWords+2] != 4 {
		t.Errorf("words %v", cmd.words)
	}
	if got := flatten(steps, make([]uint32, 10), Caps{CPU: true}.submitLimit()).splits; len(got) != 11 {
		t.Errorf("a software adapter gets %v, want one launch per submit", got)
	}
	if got := flatten(nil, nil, Caps{}.submitLimit()).splits; !slices.Equal(got, []int{0, 0}) {
		t.Errorf("an empty list is split at %v, want one empty submit for its copies", got)
	}
}

func TestAssemble(t *testing.T) {
	k := Kernel{File: "activation", Libs: []string{"activation"}, Prelude: "const ACT: u32 = 1u;", Enables: []string{"f16"}}
	s, err := assemble(k)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(s.text, "\n")
	if lines[0] != "enable f16;" {
		t.Errorf("the text begins with %q, want the enable directive", lines[0])
	}
	for i, line := range lines {
		if line == k.Prelude {
			if got := s.where(i + 1); got != "prelude of activation:1" {
				t.Errorf("the prelude is said to lie at %s", got)
			}
			if got := s.where(i + 2); got != "activation.wgsl:1" {
				t.Errorf("the line after the prelude is said to lie at %s", got)
			}
		}
	}
	if got := s.where(2); got != "lib/activation.wgsl:1" {
		t.Errorf("line 2 is said to lie at %s", got)
	}
	for _, missing := range []Kernel{{File: "none"}, {File: "activation", Libs: []string{"none"}}} {
		if _, err := assemble(missing); !fault.Is(err, fault.Internal) {
			t.Errorf("assembling %v: %v", missing, err)
		}
	}
	other := k
	other.Prelude = "const ACT: u32 = 2u;"
	if k.key() == other.key() {
		t.Error("two variants have one key")
	}
}

func TestPlanID(t *testing.T) {
	a, b := planID(PortableFloor), planID(Caps{})
	if a == b || a != planID(PortableFloor) || len(a) != 12 {
		t.Errorf("plans %q and %q", a, b)
	}
	// That operands may be rounded changes nothing until something does so.
	exact, rounding := PortableFloor, PortableFloor
	exact.F16, rounding.F16, rounding.Bits = true, true, 16
	if planID(exact) != planID(rounding) {
		t.Error("another plan where operands may be rounded")
	}
	exact.Choices = Choices{"MatMul 96×1024×256 Q8_0": "f16"}
	rounding.Choices = exact.Choices
	if planID(exact) == planID(rounding) {
		t.Error("the same plan where a choice of f16 is taken and where it is not")
	}
}
