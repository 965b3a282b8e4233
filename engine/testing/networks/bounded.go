package networks

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"undertone/engine"
	"undertone/engine/conform"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// bounded is a machine whose tensors may have at most limit bytes (0: any number), which
// notes the largest temporary of what it compiles.
type bounded struct {
	op.Backend
	limit, largest int64
}

func (*bounded) Close() {}

func (b *bounded) Info() op.Info {
	i := b.Backend.Info()
	i.Limits = map[string]int64{"maxStorageBufferBindingSize": b.limit, "maxBufferSize": 2 * b.limit}
	return i
}

func (b *bounded) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	_, largest := l.TempBytes()
	b.largest = max(b.largest, largest)
	return b.Backend.Compile(ctx, l)
}

// bounds are the limits to try where the largest tensor has whole bytes without one: few on a
// GPU, of which many kinds of shapes take minutes where it is software.
func bounds(whole int64, exact bool) []int64 {
	if !exact {
		return []int64{whole / 3}
	}
	return []int64{whole - 1, whole / 2, whole / 3, 1}
}

// Bounded computes the published networks, and pictures, on a machine whose limit their
// widest tensors pass: by groups of heads and by strips of tokens. Where exact is set the
// numbers are the same to the last bit, as on a machine whose product of a row does not
// depend on how many rows there are; other machines, which take long, compute one network
// of each kind of block.
func Bounded(t *testing.T, be op.Backend, lim Limits, exact bool) {
	prefixes := []string{"flux_dev", "sd35_medium"}
	if exact {
		prefixes = append(prefixes, "flux_kontext", "sd3_medium", "sd35_large")
	}
	for _, prefix := range prefixes {
		t.Run(prefix, func(t *testing.T) {
			run := func(limit int64) ([]conform.Result, int64) {
				b := &bounded{Backend: be, limit: limit}
				r, err := conform.Run(background(), b, filepath.Join(root(t), "engine", "testdata", "published", prefix), conform.Options{Limit: lim.Published})
				if err != nil {
					t.Fatal(err)
				}
				return r.Results, b.largest
			}
			want, whole := run(0)
			for _, limit := range bounds(whole, exact) {
				got, largest := run(limit)
				t.Logf("at most %d bytes: the largest tensor has %d, whole %d", limit, largest, whole)
				if largest >= whole || largest > limit && limit > whole/3 {
					t.Errorf("at most %d bytes: a tensor has %d", limit, largest)
				}
				if exact && !reflect.DeepEqual(got, want) {
					t.Errorf("at most %d bytes: other numbers\n%v\n%v", limit, got, want)
				}
				for _, r := range got {
					if !r.OK {
						t.Errorf("at most %d bytes: %v", limit, r)
					}
				}
			}
		})
	}
	f := newFixture(t)
	t.Run("FLUX pictures", func(t *testing.T) { boundedPictures(t, f, be, exact) })
	g := newFixture(t)
	g.makeSD3(sd3Small)
	t.Run("SD3 pictures", func(t *testing.T) { boundedPictures(t, g, be, exact) })
}

// boundedPictures makes a picture with two branches, and looks on, with and without a limit.
func boundedPictures(t *testing.T, f *fixture, be op.Backend, exact bool) {
	req := with(frog, term(1, 0.5, 1))
	req.CFG, req.Probe = 2.5, &engine.ProbeRequest{}
	if f.family == "flux" {
		req.Size = recipe.Size{Width: 24, Height: 16}
	}
	draw := func(limit int64) (*engine.Result, int64) {
		b := &bounded{Backend: be, limit: limit}
		e := f.load(b)
		defer e.Close()
		return picture(t, e, req), b.largest
	}
	want, whole := draw(0)
	for _, limit := range bounds(whole, exact) {
		got, largest := draw(limit)
		t.Logf("at most %d bytes: the largest tensor has %d, whole %d", limit, largest, whole)
		if largest >= whole {
			t.Errorf("at most %d bytes: a tensor has %d", limit, largest)
		}
		near(t, fmt.Sprintf("the latent, at most %d bytes", limit), got.Latent, want.Latent, 1e-4)
		near(t, fmt.Sprintf("attention, at most %d bytes", limit), got.Probe.Attention, want.Probe.Attention, 1e-4)
		if exact && (!same(got, want) || !reflect.DeepEqual(got.Probe, want.Probe)) {
			t.Errorf("at most %d bytes: another picture", limit)
		}
	}
}
