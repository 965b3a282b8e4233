package gpu

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// The list of cases runs first on a device without any limit or feature, …
func TestOpsFloor(t *testing.T) { runOps(t, Options{Portable: true}) }

// … then with the kernels that this adapter would get, …
func TestOps(t *testing.T) { runOps(t, Options{}) }

// … and, where the adapter is software, with those meant for real GPUs.
func TestOpsHardwareFloor(t *testing.T) { runOps(t, Options{Hardware: true, Portable: true}) }

func TestOpsHardware(t *testing.T) { runOps(t, Options{Hardware: true}) }

func runOps(t *testing.T, o Options) {
	d := open(t, o)
	t.Logf("%s, %+v", d.Info().Adapter, d.Caps())
	if testing.Short() && o.Hardware && d.info.Software {
		t.Skip("a software adapter takes minutes for the kernels of real GPUs; without -short they run")
	}
	ref := cpu.New(cpu.Options{})
	cases := map[op.Kind][]ops.Case{}
	for _, c := range ops.Cases() {
		cases[c.Kind] = append(cases[c.Kind], c)
	}
	defer func() { t.Logf("%d pipelines", len(d.pipelines.index)) }()
	for _, k := range op.Kinds() {
		t.Run(k.String(), func(t *testing.T) {
			for _, c := range cases[k] {
				t.Run(c.Name, func(t *testing.T) { c.Run(t, d, unlike{ref, d, t}) })
			}
		})
	}
}

// unlike is the reference, which a case asks first; it skips cases that would show
// little new: see worthwhile.
type unlike struct {
	op.Backend
	d *Device
	t *testing.T
}

func (u unlike) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	steps, err := lower(l, u.d.caps)
	if err != nil {
		return nil, err
	}
	if why := worthwhile(u.t.Name(), l.Name, steps, u.d.info.Software && !u.d.caps.CPU); why != "" {
		u.t.Skip(why)
	}
	return u.Backend.Compile(ctx, l)
}

// What ran, in this and the other tests of this file.
var (
	ran      = map[string]string{} // launches of a case: by which test
	compiled = map[string]bool{}   // kernels
	families = map[string]bool{}   // kernels, whatever their activation
)

// format is that of a case's blocks, as its name says.
var format = regexp.MustCompile(`_(iq4_nl|iq4_xs|q[2-8]_[01k]|f8_e[45]m[23])(?:_|$)`)

var activation = regexp.MustCompile(`const ACT: u32 = \d+u;`)

// worthwhile tells why a case need not run, or "". Most cases get the same kernels,
// parameters and workgroups on every kind of device. And of the kernels for real
// GPUs a software adapter, which takes seconds to compile one, is given each with
// one activation only, and blocks of one format of those that are kept alike on the
// device; the others need UNDERTONE_ALL_KERNELS=1, and this test alone.
func worthwhile(test, name string, steps []step, slow bool) string {
	var b strings.Builder
	if slow && os.Getenv("UNDERTONE_ALL_KERNELS") == "" {
		name = format.ReplaceAllString(name, "_blocks_")
	}
	fmt.Fprintln(&b, name)
	more := false
	for _, s := range steps {
		key := s.Kernel.key() + access(s.Launch)
		fmt.Fprintf(&b, "%q %v %v\n", key, s.Params, s.Groups)
		more = more || !compiled[key] && families[activation.ReplaceAllString(key, "")]
	}
	if by, ok := ran[b.String()]; ok {
		return "the same launches ran as " + by + "; run this test alone to run them here"
	}
	if slow && more && os.Getenv("UNDERTONE_ALL_KERNELS") == "" {
		return "these kernels ran with another activation; UNDERTONE_ALL_KERNELS=1 runs them with every one"
	}
	ran[b.String()] = test
	for _, s := range steps {
		key := s.Kernel.key() + access(s.Launch)
		compiled[key], families[activation.ReplaceAllString(key, "")] = true, true
	}
	return ""
}

func TestContract(t *testing.T)      { ops.Contract(t, open(t, Options{})) }
func TestContractFloor(t *testing.T) { ops.Contract(t, open(t, Options{Portable: true})) }

// TestPreferred takes a variant by its name, where it fits: others run as usual.
func TestPreferred(t *testing.T) {
	d := open(t, Options{Hardware: true})
	if !slices.Contains(d.Variants(op.Attention), "tile 64 queries") {
		t.Skipf("the device offers %q", d.Variants(op.Attention))
	}
	usual := d.Info().Plan
	d.Prefer("tile 64 queries")
	if d.Info().Plan == usual {
		t.Error("the plan is that of the usual variants")
	}
	wide := 0
	for _, c := range ops.Cases() {
		if c.Kind == op.Attention && (c.Name == "s97_heads2x20_causal_framed" || c.Name == "views_s31_t31_heads3.3x64_bias_heads_framed") {
			t.Run(c.Name, func(t *testing.T) { c.Run(t, d, cpu.New(cpu.Options{})) })
			wide++
		}
	}
	if wide != 2 {
		t.Errorf("%d of 2 cases exist", wide)
	}
	for key := range d.pipelines.index {
		if strings.Contains(key, "const TY: u32 = 8u") || strings.Contains(key, "const TY: u32 = 4u") {
			t.Error("the usual variant was compiled")
		}
	}
}
