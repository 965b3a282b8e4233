package gpu

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/optest"
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
	ref := cpu.New(cpu.Options{})
	cases := map[op.Kind][]optest.Case{}
	for _, c := range optest.Cases() {
		cases[c.Kind] = append(cases[c.Kind], c)
	}
	defer func() { t.Logf("%d pipelines", len(d.pipelines.index)) }()
	for _, k := range op.Kinds() {
		t.Run(k.String(), func(t *testing.T) {
			for _, c := range cases[k] {
				t.Run(c.Name, func(t *testing.T) { c.Run(t, d, unlike{ref, d.caps, t}) })
			}
		})
	}
}

// unlike is the reference, which a case asks first; it skips cases for which the
// device would get kernels, parameters and workgroups of an earlier run. Most do
// not depend on the kind of device, and software adapters take long.
type unlike struct {
	op.Backend
	caps Caps
	t    *testing.T
}

var ran = map[string]string{} // which test ran these launches

func (u unlike) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	steps, err := lower(l, u.caps)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintln(&b, l.Name)
	for _, s := range steps {
		fmt.Fprintf(&b, "%q %s %v %v\n", s.Kernel.key(), access(s.Launch), s.Params, s.Groups)
	}
	if by, ok := ran[b.String()]; ok {
		u.t.Skipf("the same launches ran as %s; run this test alone to run them here", by)
	}
	ran[b.String()] = u.t.Name()
	return u.Backend.Compile(ctx, l)
}

func TestContract(t *testing.T)      { optest.Contract(t, open(t, Options{})) }
func TestContractFloor(t *testing.T) { optest.Contract(t, open(t, Options{Portable: true})) }
