package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/weights"
)

const goldens = "../../engine/testdata/published/"

// packed is a tensor of a safetensors file.
type packed struct {
	kind  string
	shape []int
	data  []byte
}

func putSafetensors(t *testing.T, name string, tensors map[string]packed) {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for name, x := range tensors {
		header[name] = map[string]any{"dtype": x.kind, "shape": x.shape, "data_offsets": []int{len(data), len(data) + len(x.data)}}
		data = append(data, x.data...)
	}
	text := jsonOf(t, header)
	put(t, name, slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data))
}

func f32(values []float32) (out []byte) {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

// scaledFiles writes a network twice: its matrices as random 8-bit floats with scales
// beside them in all forms, and as the numbers that these are.
func scaledFiles(t *testing.T, from, kind, scaledName, plainName string) {
	t.Helper()
	src := bytes.NewReader(read(t, from))
	x, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 8))
	scaled, plain := map[string]packed{weights.ScaledMarker: {kind, []int{2}, []byte{0, 0}}}, map[string]packed{}
	matrices := 0
	for _, w := range x.Tensors {
		if layer, ok := strings.CutSuffix(w.Name, "weight"); ok && len(w.Shape) == 2 {
			rows, cols := w.Shape[0], w.Shape[1]
			codes := make([]byte, rows*cols)
			for i := range codes {
				codes[i] = byte(rng.Uint32()) & 0xaf // small, no NaN and no infinity
			}
			scaled[w.Name] = packed{kind, w.Shape, codes}
			scales := make([]float32, rows)
			switch matrices++; matrices % 4 {
			case 0: // ComfyUI: one for all
				one := 0.5 + rng.Float32()
				for i := range scales {
					scales[i] = one
				}
				scaled[layer+"scale_weight"] = packed{"F32", []int{}, f32([]float32{one})}
				scaled[layer+"scale_input"] = packed{"F32", []int{}, f32([]float32{7})}
			case 1, 2: // one for each row
				for i := range scales {
					scales[i] = 0.5 + rng.Float32()
				}
				shape := [][]int{{rows, 1}, {rows}}[matrices%4-1]
				scaled[layer+"weight_scale"] = packed{"F32", shape, f32(scales)}
			case 3: // left as it is
				for i := range scales {
					scales[i] = 1
				}
			}
			plain[w.Name] = packed{"F32", w.Shape, f32(scales)}
			continue
		}
		raw := make([]byte, w.Bytes)
		if _, err := src.ReadAt(raw, w.Offset); err != nil {
			t.Fatal(err)
		}
		scaled[w.Name] = packed{w.Type, w.Shape, raw}
		plain[w.Name] = scaled[w.Name]
	}
	if matrices < 20 {
		t.Fatalf("only %d matrices", matrices)
	}
	dtype := map[string]op.DType{"F8_E4M3": op.F8_E4M3, "F8_E5M2": op.F8_E5M2}[kind]
	for name, p := range plain {
		codes := scaled[name]
		if codes.kind != kind {
			continue
		}
		values, err := weights.ReadFloat32(bytes.NewReader(codes.data), weights.Tensor{Name: name, DType: dtype, Shape: codes.shape, Bytes: int64(len(codes.data))})
		if err != nil {
			t.Fatal(err)
		}
		cols := codes.shape[1]
		for i := range values {
			values[i] *= math.Float32frombits(binary.LittleEndian.Uint32(p.data[i/cols*4:]))
		}
		plain[name] = packed{"F32", codes.shape, f32(values)}
	}
	putSafetensors(t, scaledName, scaled)
	putSafetensors(t, plainName, plain)
}

// 8-bit files with scales make the picture of the numbers that they stand for, and convert
// writes the same files of both: also where q, k and v of diffusers' names become one
// matrix, and where halves change places.
func TestScaledEightBitFiles(t *testing.T) {
	for _, c := range []struct{ name, kind, file, golden string }{
		{"diffusers", "F8_E4M3", "transformer/diffusion_pytorch_model.safetensors", "flux_dev.diffusers.safetensors"},
		{"original", "F8_E5M2", "transformer/diffusion_pytorch_model.safetensors", "flux_dev.safetensors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			scaled, plain := fluxFolder(t), fluxFolder(t)
			scaledFiles(t, goldens+c.golden, c.kind, filepath.Join(scaled, c.file), filepath.Join(plain, c.file))
			want, _ := drawn(t, "256", "generate", plain)
			if got, _ := drawn(t, "256", "generate", scaled); !samePixels(got, want) {
				t.Error("the picture of the scaled 8-bit weights is another one than that of their numbers")
			}
			for _, to := range []string{"F32", "BF16", "Q8_0"} {
				var files [][]byte
				for _, folder := range []string{scaled, plain} {
					out := filepath.Join(t.TempDir(), "out")
					succeed(t, "convert", folder, "--to", to, "--out", out)
					data, err := os.ReadFile(filepath.Join(out, "dit.gguf"))
					if err != nil {
						t.Fatal(err)
					}
					files = append(files, data)
				}
				if !bytes.Equal(files[0], files[1]) {
					t.Errorf("converted to %s the scaled weights are others than their numbers", to)
				}
			}
		})
	}
}

// Marked as scaled, without scales.
func TestScalesAbsent(t *testing.T) {
	folder := fluxFolder(t)
	name := filepath.Join(folder, "transformer/diffusion_pytorch_model.safetensors")
	other := filepath.Join(t.TempDir(), "plain.safetensors")
	scaledFiles(t, goldens+"flux_dev.safetensors", "F8_E4M3", name, other)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(data)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	for key := range header {
		if strings.HasSuffix(key, "_scale") || strings.HasSuffix(key, ".scale_weight") {
			delete(header, key)
		}
	}
	text := jsonOf(t, header)
	put(t, name, slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data[8+n:]))
	const says = `is marked as scaled by "scaled_fp8", but its scales are absent`
	for _, args := range [][]string{{"inspect", folder}, {"generate", folder, "-o", filepath.Join(t.TempDir(), "x.png")}} {
		if code, _, stderr := cli(args...); code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("%s: %d, %s", args[0], code, stderr)
		}
	}
}
