package quant

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"undertone/engine/op"
)

// TestBlocksDecode compares every format of blocks and every 8-bit float, bit for bit,
// with what other people's readers make of them (train/golden_quant.py).
func TestBlocksDecode(t *testing.T) {
	golden := readGolden(t)
	for _, dt := range Types() {
		raw, ok := golden[dt.String()+".blocks"]
		if planar, quantized := PlanarOf(dt); !ok {
			if quantized || dt == op.F8_E4M3 || dt == op.F8_E5M2 {
				t.Errorf("%s: no golden blocks (%+v)", dt, planar)
			}
			continue
		}
		values := golden[dt.String()+".values"]
		got := make([]float32, len(values)/4)
		Dequantize(dt, got, raw)
		wrong := 0
		for i, g := range got {
			want := math.Float32frombits(le.Uint32(values[4*i:]))
			if math.Float32bits(g) != math.Float32bits(want) && (g == g || want == want) {
				if wrong++; wrong < 4 {
					t.Errorf("%s: element %d is %g (%08x), want %g (%08x)", dt, i, g, math.Float32bits(g), want, math.Float32bits(want))
				}
			}
		}
		if wrong > 3 {
			t.Errorf("%s: %d of %d elements are wrong", dt, wrong, len(got))
		}
	}
}

// readGolden returns the bytes of the golden file's tensors.
func readGolden(t *testing.T) map[string][]byte {
	t.Helper()
	file, err := os.ReadFile("testdata/blocks.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	text, data := file[8:8+le.Uint64(file)], file[8+le.Uint64(file):]
	var header map[string]struct {
		At [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	tensors := map[string][]byte{}
	for name, h := range header {
		tensors[name] = data[h.At[0]:h.At[1]]
	}
	return tensors
}

// TestPlanarIsExact holds the planar representation, which machines may keep instead
// of blocks, to what it promises: quants of its width, scales and products that
// float32 holds.
func TestPlanarIsExact(t *testing.T) {
	golden := readGolden(t)
	quantized := 0
	for _, dt := range Types() {
		p, ok := PlanarOf(dt)
		if elems, _ := dt.Block(); ok != dt.Quantized() || ok && (elems%p.Group != 0 || p.Group%16 != 0 || len(Halves(dt)) == 0) {
			t.Errorf("%s: planar %+v, halves %v", dt, p, Halves(dt))
		}
		if !ok {
			continue
		}
		quantized++
		values := golden[dt.String()+".values"]
		x := make([]float64, p.Group)
		for first := 0; first < len(values)/4; first += p.Group {
			distinct := map[float64]bool{}
			for i := range x {
				x[i] = float64(math.Float32frombits(le.Uint32(values[4*(first+i):])))
				distinct[x[i]] = true
			}
			if len(distinct) > 1<<p.Bits {
				t.Fatalf("%s: %d different values share a scale in %d bits", dt, len(distinct), p.Bits)
			}
		}
		parts := formats[dt].parts
		if parts.quant == nil {
			continue
		}
		low, high := 0, 1<<p.Bits-1
		if !p.Minima {
			low, high = -1<<(p.Bits-1), 1<<(p.Bits-1)-1
		}
		raw := golden[dt.String()+".blocks"]
		elems, size := dt.Block()
		for ; len(raw) > 0; raw = raw[size:] {
			for i := range elems {
				q := parts.quant(raw, i)
				scale, _ := parts.scales(raw, i/p.Group)
				if q < low || q > high {
					t.Fatalf("%s: element %d has the quant %d, wanted %d to %d", dt, i, q, low, high)
				}
				if exact := float64(scale) * float64(q); float64(float32(exact)) != exact {
					t.Fatalf("%s: element %d: %g·%d is not a float32", dt, i, scale, q)
				}
			}
		}
	}
	if quantized != 12 {
		t.Errorf("%d quantized types, want 12", quantized)
	}
}
