package networks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine/op"
	"undertone/engine/weights"
)

// Limits bound the root mean square of a difference relative to that of the truth.
type Limits struct {
	Forward   float64 // one pass of a network, and every block's RMS
	Latent    float64 // the latent after all steps
	Published float64 // both, for the networks of Published, whose goldens are exact
}

// The bounds: engine/cpu rounds to float32 once per operation and accumulates in
// float64; a GPU accumulates in float32, with its own exponentials.
var (
	CPU = Limits{1e-5, 1e-4, 1e-6}
	GPU = Limits{1e-4, 1e-3, 1e-5}
)

// Run runs everything in this package on one machine, which stays open.
func Run(t *testing.T, be op.Backend, lim Limits) {
	Golden(t, be, lim)
	t.Run("Judge", func(t *testing.T) { Judge(t, be) })
	t.Run("Engine", func(t *testing.T) { Engine(t, be, lim == CPU) })
}

// Golden compares with PyTorch: operations, networks, the shipped model.
func Golden(t *testing.T, be op.Backend, lim Limits) {
	t.Run("Ops", func(t *testing.T) { Ops(t, be) })
	t.Run("FLUX", func(t *testing.T) { FLUX(t, be, lim) })
	t.Run("CLIP", func(t *testing.T) { CLIP(t, be, lim) })
	t.Run("VAE", func(t *testing.T) { VAE(t, be, lim) })
	t.Run("Encoder", func(t *testing.T) { Encoder(t, be, lim) })
	t.Run("Published", func(t *testing.T) { Published(t, be, lim) })
	t.Run("Shipped", func(t *testing.T) { Shipped(t, be, lim) })
}

// lent is a machine that an engine cannot close, so that many engines can be
// tested on one: a GPU takes seconds to prepare its kernels.
type lent struct{ op.Backend }

func (lent) Close() {}

// root is the folder of go.mod, seen from the package under test.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("no go.mod above the working directory")
	return ""
}

// golden is one golden file.
type golden struct {
	t     *testing.T
	name  string
	src   *weights.FileSource
	index *weights.Index
}

// openGolden opens a golden file and checks that it was made from the recipe as
// it stands: the Python that computes it and, for a shipped model, its weights.
func openGolden(t *testing.T, name string, manifest *weights.Manifest) *golden {
	t.Helper()
	g, top := readGolden(t, name), root(t)
	h := sha256.New()
	for _, part := range []string{"golden.py", "undertone/flux.py", "undertone/clip.py", "undertone/tiny.py"} {
		data, err := os.ReadFile(filepath.Join(top, "train", filepath.FromSlash(part)))
		if err != nil {
			t.Fatal(err)
		}
		h.Write(data)
	}
	if manifest != nil {
		for _, f := range manifest.Files {
			h.Write([]byte(f.SHA256))
		}
	}
	if hex.EncodeToString(h.Sum(nil)) != g.meta("recipe") {
		t.Fatalf("%s is stale (train/golden.py, the networks it imports or the weights have changed): run make golden", name)
	}
	return g
}

// openFile opens a file of weights for reading.
func openFile(t *testing.T, name, path string) *golden {
	t.Helper()
	src, err := weights.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	index, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return &golden{t, name, src, index}
}

// readGolden opens a golden file for its networks, which serve as well when what
// else is in it is stale.
func readGolden(t *testing.T, name string) *golden {
	t.Helper()
	g := openFile(t, name, filepath.Join(root(t), "engine", "testdata", "golden", name+".safetensors"))
	if g.meta("golden") != "undertone" || g.meta("version") != "1" {
		t.Fatalf("%s is not a golden file of version 1: run make golden", name)
	}
	return g
}

func (g *golden) meta(key string) string {
	v, _ := g.index.Value(key)
	s, _ := v.(string)
	return s
}

// decode reads a JSON value of the file's metadata.
func (g *golden) decode(key string, into any) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.meta(key)), into); err != nil {
		g.t.Fatalf("%s: %s: %v", g.name, key, err)
	}
}

// get reads a tensor.
func (g *golden) get(name string) []float32 {
	g.t.Helper()
	t, ok := g.index.Lookup(name)
	if !ok {
		g.t.Fatalf("%s has no tensor %q", g.name, name)
	}
	x, err := weights.ReadFloat32(g.src, t)
	if err != nil {
		g.t.Fatal(err)
	}
	return x
}

// shape is a tensor's shape as rows and columns.
func (g *golden) shape(name string) (rows, cols int) {
	g.t.Helper()
	t, ok := g.index.Lookup(name)
	if !ok {
		g.t.Fatalf("%s has no tensor %q", g.name, name)
	}
	rows, cols = 1, 1
	for i, n := range t.Shape {
		if i == 0 && len(t.Shape) > 1 {
			rows = n
		} else {
			cols *= n
		}
	}
	return rows, cols
}

// near compares two tensors by the root mean square of their difference.
func near(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d numbers, want %d", what, len(got), len(want))
		return
	}
	if rel := apart(got, want); !(rel <= limit) {
		t.Errorf("%s: relative RMS error %.3g, limit %.3g", what, rel, limit)
	} else {
		t.Logf("%s: %.2g", what, rel)
	}
}

// apart is the root mean square of a difference relative to that of the truth.
func apart(got, want []float32) float64 {
	diff, norm := 0.0, 0.0
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		norm += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(diff / norm)
}

func background() context.Context { return context.Background() }
