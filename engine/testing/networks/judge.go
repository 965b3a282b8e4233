package networks

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/judge"
	"undertone/engine/op"
	"undertone/engine/quant"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// Judge compares the logits of a small judge with PyTorch's, on pictures that both make
// of one formula (train/golden_judge.py).
func Judge(t *testing.T, be op.Backend) {
	const worst = 1e-4
	g := openGolden(t, "judge", nil)
	var c judge.Config
	g.decode("config", &c)
	want := g.get("logits")
	answers := len(want) / 2
	n := g.network(be, "weights.")
	j, err := judge.New(background(), be, c, answers, n)
	n.must(t, err)
	defer j.Close()
	for k := range 2 {
		got, err := j.Logits(background(), formula(k, c.Size))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if w := want[k*answers+i]; !(math.Abs(float64(v-w)) <= worst) {
				t.Errorf("answer %d to picture %d is %g, PyTorch says %g", i, k, v, w)
			}
		}
	}
	if _, err := j.Logits(background(), make([]byte, 4)); !fault.Is(err, fault.RequestInvalid) {
		t.Errorf("a picture of one pixel: %v", err)
	}
}

// formula is picture k of the golden file, four bytes a pixel.
func formula(k, size int) []byte {
	var rgba []byte
	for y := range size {
		for x := range size {
			for c := range 3 {
				rgba = append(rgba, byte(x*(7+k)+y*13+c*29+x*y%31*5))
			}
			rgba = append(rgba, 255)
		}
	}
	return rgba
}

// JudgeOfModel asks the judge of a whole model: it is fetched when it is first asked, says
// what PyTorch says, and nothing of what it is not sure of.
func JudgeOfModel(t *testing.T, be op.Backend) {
	f := newFixture(t)
	plain := f.bundle()
	e := loadBundle(t, be, plain)
	if _, err := e.Judge(background(), &recipe.Image{W: 32, H: 32, RGBA: formula(0, 32)}); !fault.Is(err, fault.RequestInvalid) {
		t.Errorf("a model without a judge: %v", err)
	}
	if _, err := e.Encode(background(), &recipe.Image{W: 16, H: 16, RGBA: formula(0, 16)}); !fault.Is(err, fault.RequestInvalid) {
		t.Errorf("a model without an encoder: %v", err)
	}
	e.Close()

	files := f.withJudge()
	opened := &counted{Memory: files}
	b, err := weights.LoadBundle(background(), opened, "model.json")
	if err != nil {
		t.Fatal(err)
	}
	if b.Bytes() != plain.Bytes() {
		t.Errorf("%d bytes to download with a judge, %d without", b.Bytes(), plain.Bytes())
	}
	e = loadBundle(t, be, b)
	defer e.Close()
	if opened.times != 0 {
		t.Errorf("the judge's file was opened %d times before it was asked", opened.times)
	}
	g := openGolden(t, "judge", nil)
	logits := g.get("logits")
	for k := range 2 {
		got, err := e.Judge(background(), &recipe.Image{W: 32, H: 32, RGBA: formula(k, 32)})
		if err != nil {
			t.Fatal(err)
		}
		own := logits[k*len(logits)/2:]
		sum := 0.0
		for _, v := range own[:3] {
			sum += math.Exp(float64(v))
		}
		if len(got) != 2 || len(got["style"]) != 2 {
			t.Fatalf("the judge says %v, wanted of object and style", got)
		}
		for i, v := range got["object"] {
			if want := math.Exp(float64(own[i])) / sum; !(math.Abs(v-want) <= 1e-4) {
				t.Errorf("picture %d: object %d has the probability %g, PyTorch's has %g", k, i, v, want)
			}
		}
	}
	if opened.times != 1 {
		t.Errorf("the judge's file was opened %d times for two pictures", opened.times)
	}
	if _, err := e.Judge(background(), &recipe.Image{W: 16, H: 16, RGBA: formula(0, 16)}); !fault.Is(err, fault.RequestInvalid) {
		t.Errorf("a picture of another size: %v", err)
	}
}

func loadBundle(t *testing.T, be op.Backend, b *weights.Bundle) *engine.Engine {
	t.Helper()
	e, err := engine.Load(background(), lent{be}, b, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// counted counts how often the judge's file is opened.
type counted struct {
	weights.Memory
	times int
}

func (c *counted) Open(ctx context.Context, path string) (op.Source, error) {
	if path == "judge.safetensors" {
		c.times++
	}
	return c.Memory.Open(ctx, path)
}

// withJudge are the fixture's files and the golden judge, which is not sure of detail.
func (f *fixture) withJudge() weights.Memory {
	t, files, g := f.t, f.files(), openGolden(f.t, "judge", nil)
	t.Helper()
	var outputs []weights.Output
	for _, x := range g.index.Tensors {
		name, ok := strings.CutPrefix(x.Name, "weights.")
		if !ok {
			continue
		}
		outputs = append(outputs, weights.Output{Name: name, DType: op.F32, Shape: x.Shape, Write: func(w io.Writer) error {
			data := g.get(x.Name)
			raw := make([]byte, 4*len(data))
			quant.Quantize(op.F32, raw, data)
			_, err := w.Write(raw)
			return err
		}})
	}
	var file bytes.Buffer
	err := weights.WriteSafetensors(&file, nil, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	files["judge.safetensors"] = file.Bytes()
	entry, err := weights.Describe("judge", "judge.safetensors", &file)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(files["model.json"], &m); err != nil {
		t.Fatal(err)
	}
	m["files"] = append(m["files"].([]any), entry)
	m["judge"] = map[string]any{"config": json.RawMessage(g.meta("config")), "pictures": 1000, "parameters": 1,
		"attributes": []recipe.Aspect{{Name: "object", Values: []string{"cat", "frog", "star"}, Accuracy: 0.99},
			{Name: "detail", Values: []string{"0", "1", "2"}, Accuracy: 0.9}, {Name: "style", Values: []string{"flat", "neon"}, Accuracy: 0.95}}}
	if files["model.json"], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return files
}
