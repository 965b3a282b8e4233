package conform_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/cpu"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// ggufFile is a network of engine/testdata/gguf.json (train/golden_gguf.py): the header
// that the gguf package wrote, and what its file and the numbers in it hash to.
type ggufFile struct {
	Header   []byte // gzip
	Bytes    int
	SHA256   string
	Numbers  string
	Halves   []int // where in a block scales begin
	Exponent uint16
}

// randomBytes is splitmix64, seeded with a tensor's name.
func randomBytes(name string, b []byte) {
	seed := sha256.Sum256([]byte(name))
	state := binary.LittleEndian.Uint64(seed[:])
	var word [8]byte
	for i := 0; i < len(b); i += 8 {
		state += 0x9E3779B97F4A7C15
		z := state
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		binary.LittleEndian.PutUint64(word[:], z^z>>31)
		copy(b[i:], word[:])
	}
}

// fill makes the data of a tensor as the script does.
func (f ggufFile) fill(t weights.Tensor, b []byte) {
	randomBytes(t.Name, b)
	half := func(at int, keep, exponent uint16) {
		v := binary.LittleEndian.Uint16(b[at:])
		binary.LittleEndian.PutUint16(b[at:], v&keep|exponent)
	}
	switch t.DType {
	case op.F32:
		exponent := uint32(122)
		if strings.HasSuffix(t.Name, "_norm.scale") || strings.HasSuffix(t.Name, "ln_q.weight") || strings.HasSuffix(t.Name, "ln_k.weight") {
			exponent = 127
		}
		for i := 0; i < len(b); i += 4 {
			v := binary.LittleEndian.Uint32(b[i:])
			binary.LittleEndian.PutUint32(b[i:], v&0x807FFFFF|exponent<<23)
		}
	case op.F16, op.BF16:
		for i := 0; i < len(b); i += 2 {
			if t.DType == op.F16 {
				half(i, 0x83FF, 10<<10)
			} else {
				half(i, 0x807F, 122<<7)
			}
		}
	default:
		_, size := t.DType.Block()
		for i := 0; i < len(b); i += size {
			for _, at := range f.Halves {
				half(i+at, 0x83FF, f.Exponent<<10)
			}
		}
	}
}

// make makes the file again, and checks that it is the one that the gguf package wrote and
// that the numbers in it are those that the package reads.
func (f ggufFile) make(t *testing.T) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(f.Header))
	if err != nil {
		t.Fatal(err)
	}
	header, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	file := make([]byte, f.Bytes)
	copy(file, header)
	x, err := weights.Survey(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	tensors := slices.Clone(x.Tensors)
	slices.SortFunc(tensors, func(a, b weights.Tensor) int { return int(a.Offset - b.Offset) })
	numbers := sha256.New()
	for _, w := range tensors {
		f.fill(w, file[w.Offset:w.Offset+w.Bytes])
		values, err := weights.ReadFloat32(bytes.NewReader(file), w)
		if err != nil {
			t.Fatal(err)
		}
		if err := binary.Write(numbers, binary.LittleEndian, values); err != nil {
			t.Fatal(err)
		}
	}
	if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != f.SHA256 {
		t.Fatalf("the file has the hash %x, the gguf package's %s", sum, f.SHA256)
	}
	if sum := hex.EncodeToString(numbers.Sum(nil)); sum != f.Numbers {
		t.Fatalf("its numbers have the hash %s, those that the gguf package reads %s", sum, f.Numbers)
	}
	return file
}

// velocityOf identifies a file, opens the transformer in it and runs a pass on random
// inputs, the same for every file.
func velocityOf(t *testing.T, name, family string, file []byte) ([]float32, checkpoint.Part) {
	t.Helper()
	ctx, be := context.Background(), cpu.New(cpu.Options{})
	defer be.Close()
	found, err := checkpoint.Identify([]checkpoint.File{{Name: name, Source: bytes.NewReader(file)}})
	if err != nil {
		t.Fatal(err)
	}
	if found.Family != family || len(found.Parts) != 1 || found.Unused != 0 {
		t.Fatalf("it is taken for %q of %d parts, %d tensors are unused", found.Family, len(found.Parts), found.Unused)
	}
	p := found.Parts[0]
	u := engine.NewIndexUploader(ctx, be, p.Index, p.Source)
	var net engine.Transformer
	switch family {
	case "flux":
		var c dit.FluxConfig
		if err = weights.Decode(p.Config, "config", &c); err == nil {
			net, err = dit.LoadFlux(c, u)
		}
	case "sd3":
		var c dit.SD3Config
		if err = weights.Decode(p.Config, "config", &c); err == nil {
			net, err = dit.LoadSD3(c, u)
		}
	}
	if err == nil {
		err = u.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 3))
	normal := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(rng.NormFloat64())
		}
		return out
	}
	const rows, cols, tokens, width = 3, 2, 5, 256
	got, err := engine.Forward(ctx, be, net, dit.Encoder{Name: "text", Width: width, Pooled: width}, engine.Pass{
		Img: normal(rows * cols * 64), Rows: rows, Cols: cols, Txt: normal(tokens * width), Pooled: normal(width), Time: 0.7, Guidance: 3.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	return got.Velocity, p
}

// A whole small FLUX.1 and a whole small SD3.5 in every GGUF format, as the gguf package
// writes them for ComfyUI: recognized, opened, and the velocity is that of the same
// network with the numbers that the package decodes.
func TestWholeNetworksInGGUF(t *testing.T) {
	data, err := os.ReadFile("../testdata/gguf.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Networks map[string]map[string]ggufFile
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	formats := strings.Fields("F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS")
	for _, family := range []string{"flux", "sd3"} {
		if n := len(golden.Networks[family]); n != len(formats) {
			t.Errorf("%s is there in %d formats, wanted %d", family, n, len(formats))
		}
		for _, format := range formats {
			t.Run(family+"/"+format, func(t *testing.T) {
				file := golden.Networks[family][format].make(t)
				got, p := velocityOf(t, "net-"+format+".gguf", family, file)
				if p.Type != format {
					t.Errorf("it is of the type %s", p.Type)
				}
				var outputs []weights.Output
				for _, w := range p.Index.Tensors {
					values, err := weights.ReadFloat32(p.Source, w)
					if err != nil {
						t.Fatal(err)
					}
					outputs = append(outputs, weights.Float32s(w.Name, op.F32, w.Shape, values))
				}
				var plain bytes.Buffer
				if err := weights.WriteSafetensors(&plain, nil, outputs...); err != nil {
					t.Fatal(err)
				}
				want, _ := velocityOf(t, "plain.safetensors", family, plain.Bytes())
				norm, off := 0.0, 0.0
				for i, v := range want {
					norm += float64(v) * float64(v)
					off += math.Pow(float64(got[i]-v), 2)
				}
				if rms := math.Sqrt(norm / float64(len(want))); !(rms > 0.01 && rms < 1e4) {
					t.Errorf("a velocity of %g says nothing", rms)
				}
				if e := math.Sqrt(off / norm); !(e <= 1e-6) {
					t.Errorf("the velocity is off by %g", e)
				}
			})
		}
	}
}
