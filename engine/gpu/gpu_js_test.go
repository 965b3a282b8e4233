package gpu

import (
	"context"
	"math"
	"reflect"
	"syscall/js"
	"testing"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// open gives a device that is closed when the test ends.
func open(t *testing.T, o Options) *Device {
	t.Helper()
	o.Poison = true
	d, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// TestWrapperLayout holds the webgpu package to what raw depends on.
func TestWrapperLayout(t *testing.T) {
	for _, w := range []any{wgpu.Buffer{}, wgpu.BindGroup{}, wgpu.PipelineLayout{}} {
		typ := reflect.TypeOf(w)
		if typ.NumField() != 1 || typ.Field(0).Type != reflect.TypeFor[js.Value]() {
			t.Errorf("%s has another layout than one js.Value", typ)
		}
	}
}

func TestWriteRead(t *testing.T) {
	d := open(t, Options{})
	t.Logf("%s, %+v, plan %s", d.Info().Adapter, d.Caps(), d.Info().Plan)
	x, err := d.New("x", op.F32, 5, 7)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]float32, 35)
	for i := range data {
		data[i] = float32(i)
	}
	if got, err := d.Read(context.Background(), x); err != nil || !reflect.DeepEqual(got, make([]float32, 35)) {
		t.Fatalf("a new tensor holds %v (%v), want zeros", got, err)
	}
	if err := d.Write(x, data); err != nil {
		t.Fatal(err)
	}
	got, err := d.Read(context.Background(), x)
	if err != nil || !reflect.DeepEqual(got, data) {
		t.Fatalf("read %v (%v), want %v", got, err, data)
	}
	view := x.Slice(1, 3).Columns(4, 6)
	if err := d.Write(view, []float32{-1, -2, -3, -4}); err != nil {
		t.Fatal(err)
	}
	data[7+4], data[7+5], data[14+4], data[14+5] = -1, -2, -3, -4
	if got, err = d.Read(context.Background(), x); err != nil || !reflect.DeepEqual(got, data) {
		t.Fatalf("read %v (%v), want %v", got, err, data)
	}
}

func TestProfile(t *testing.T) {
	d := open(t, Options{})
	a := newAdder(t, d)
	timings, err := a.p.(*Program).Profile(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(timings) != a.p.Stats().Dispatches || timings[0].Kind != op.Add || timings[0].Time <= 0 {
		t.Errorf("timings %+v", timings)
	}
	if _, err := newAdder(t, open(t, Options{Portable: true})).p.(*Program).Profile(context.Background()); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("without timestamps: %v, want the fault %s", err, fault.LimitExceeded)
	}
}

// BenchmarkEncode measures what a step of 200 launches costs the CPU until it is
// submitted: the least of all runs, as a software adapter takes the CPU away.
func BenchmarkEncode(b *testing.B) {
	ctx := context.Background()
	d, err := Open(ctx, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	x, err := d.New("x", op.F32, 1, 64)
	if err != nil {
		b.Fatal(err)
	}
	l := op.NewList("long")
	for range 100 {
		l.Add(x, l.Add(x, x, nil), x)
	}
	p, err := d.Compile(ctx, l)
	if err != nil {
		b.Fatal(err)
	}
	least := math.Inf(1)
	for b.Loop() {
		if err := p.Run(ctx); err != nil {
			b.Fatal(err)
		}
		least = min(least, p.(*Program).EncodeTime().Seconds()*1e3)
		if err := d.Sync(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(least, "encode-ms/op")
}

// TestThrottle lets many small submits through, but makes a large one wait for the one
// before the last, and one of a single launch of more than that, too.
func TestThrottle(t *testing.T) {
	d := open(t, Options{Submit: submitFlops})
	a := newAdder(t, d)
	most := 0
	for range 100 {
		if err := a.p.Run(soon(t)); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(d.inflight))
	}
	if most != maxSubmitted {
		t.Errorf("%d small submits were on the GPU at once, want %d", most, maxSubmitted)
	}
	if err := d.Sync(soon(t)); err != nil {
		t.Fatal(err)
	}
	if len(d.inflight) != 0 {
		t.Errorf("%d submits are on the GPU after Sync", len(d.inflight))
	}
	for _, full := range []float64{1, launchSubmits} {
		a.p.(*Program).cmd.work[0] = full * d.submit
		for range 5 {
			if err := a.p.Run(soon(t)); err != nil {
				t.Fatal(err)
			}
		}
		if len(d.inflight) != 2 {
			t.Errorf("%d submits of %g times the work of a full one are on the GPU at once, want 2", len(d.inflight), full)
		}
	}
}

func TestAdapterName(t *testing.T) {
	for _, c := range [][4]string{
		{"Apple M2", "apple", "metal-3", "Apple M2 (apple metal-3)"}, {"", "nvidia", "hopper", "nvidia hopper"},
		{"", "intel", "", "intel"}, {"llvmpipe", "", "", "llvmpipe"}, {"", "", "", "a GPU that the browser does not name"},
	} {
		if got := adapterName(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%q is called %q, want %q", c[:3], got, c[3])
		}
	}
}
