package quant

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

func TestFloat16AllValues(t *testing.T) {
	for h := range 1 << 16 {
		exp, man := h>>10&31, float64(h&1023)
		want := math.Ldexp(man, -24)
		switch {
		case exp == 31 && man == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		case exp > 0:
			want = math.Ldexp(1024+man, exp-25)
		}
		if h>>15 == 1 {
			want = -want
		}
		got := Float16(uint16(h))
		if math.IsNaN(want) {
			if got == got || Float16(ToFloat16(got)) == Float16(ToFloat16(got)) {
				t.Fatalf("%04x: got %v, want NaN that stays NaN", h, got)
			}
			continue
		}
		if float64(got) != want || math.Signbit(float64(got)) != (h>>15 == 1) {
			t.Fatalf("%04x: got %v, want %v", h, got, want)
		}
		if back := ToFloat16(got); int(back) != h {
			t.Fatalf("%04x came back as %04x", h, back)
		}
	}
}

// Between any two neighbours, the middle goes to the even one and everything
// else to the nearer.
func TestToFloat16Rounds(t *testing.T) {
	for h := range uint16(0x7bff) {
		a, b := Float16(h), Float16(h+1)
		mid := float32((float64(a) + float64(b)) / 2)
		even := h + h&1
		for _, c := range []struct {
			x    float32
			want uint16
		}{{mid, even}, {math.Nextafter32(mid, 0), h}, {math.Nextafter32(mid, 1e9), h + 1}} {
			if got := ToFloat16(c.x); got != c.want {
				t.Fatalf("%v → %04x, want %04x", c.x, got, c.want)
			}
			if got := ToFloat16(-c.x); got != c.want|0x8000 {
				t.Fatalf("%v → %04x, want %04x", -c.x, got, c.want|0x8000)
			}
		}
	}
	for x, want := range map[float32]uint16{65519.9: 0x7bff, 65520: 0x7c00, math.MaxFloat32: 0x7c00, -65520: 0xfc00} {
		if got := ToFloat16(x); got != want {
			t.Errorf("%v → %04x, want %04x", x, got, want)
		}
	}
}

func TestToBFloat16Rounds(t *testing.T) {
	for bits, want := range map[uint32]uint16{
		0x3f800000: 0x3f80, 0x3f808000: 0x3f80, 0x3f808001: 0x3f81, 0x3f818000: 0x3f82, 0xbf818000: 0xbf82,
		0x7f7fffff: 0x7f80, 0x7f800000: 0x7f80, 0x7f800001: 0x7fc0, 0xffc00000: 0xffc0, 0x00000001: 0x0000,
	} {
		if got := ToBFloat16(math.Float32frombits(bits)); got != want {
			t.Errorf("%08x → %04x, want %04x", bits, got, want)
		}
	}
}

// The bytes are written out here, worked by hand from the formats' definition.
func TestBlocksGolden(t *testing.T) {
	ramp := make([]float32, 32) // −16 … 15: the extreme is −16
	for i := range ramp {
		ramp[i] = float32(i - 16)
	}
	for _, c := range []struct {
		dt    op.DType
		bytes string
	}{
		// d = 16/127 = 0.12598 → f16 0x3008; q = round(x·127/16)
		{op.Q8_0, "0830" + "81899199a1a9b1b9c0c8d0d8e0e8f0f8" + "000810182028303840474f575f676f77"},
		// d = −16/−8 = 2 → f16 0x4000; q = trunc(x/2 + 8.5)
		{op.Q4_0, "0040" + "8091" + "91a2" + "a2b3" + "b3c4" + "c4d5" + "d5e6" + "e6f7" + "f7f8"},
	} {
		_, size := c.dt.Block()
		got := make([]byte, size)
		Quantize(c.dt, got, ramp)
		want, err := hex.DecodeString(c.bytes)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %s", c.dt, got, c.bytes)
		}
	}
}

func TestQuantizeErrorBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, scale := range []float32{1e-3, 1, 300} {
		for range 200 {
			x := make([]float32, 32)
			var most float64
			for i := range x {
				x[i] = float32(rng.NormFloat64()) * scale
				most = max(most, math.Abs(float64(x[i])))
			}
			for _, c := range []struct {
				dt op.DType
				// Half a step, plus the rounding of d to binary16 (11 bits, or 2⁻²⁵ below
				// its normal range), which the largest element feels in full. The far end
				// of Q4_0 is cut off at 7 of 8 steps.
				bound float64
			}{
				{op.Q8_0, most/127/2 + max(most/2048, 127./(1<<25))},
				{op.Q4_0, most/8 + max(most/2048, 8./(1<<25))},
				{op.F16, most / 2048}, {op.BF16, most / 256}, {op.F32, 0},
			} {
				elems, bytes := c.dt.Block()
				b, y := make([]byte, 32/elems*bytes), make([]float32, 32)
				Quantize(c.dt, b, x)
				Dequantize(c.dt, y, b)
				for i := range x {
					if d := math.Abs(float64(x[i] - y[i])); d > c.bound {
						t.Fatalf("%s: %v came back as %v, off by %v of %v", c.dt, x[i], y[i], d, c.bound)
					}
				}
			}
		}
	}
}

func TestQuantizeEdges(t *testing.T) {
	for name, v := range map[string]float32{"zeros": 0, "tiny": 1e-42, "small": 1e-12} {
		for _, dt := range []op.DType{op.Q8_0, op.Q4_0} {
			x, y := make([]float32, 32), make([]float32, 32)
			for i := range x {
				x[i] = v
			}
			_, size := dt.Block()
			b := make([]byte, size)
			Quantize(dt, b, x)
			Dequantize(dt, y, b)
			for i := range y {
				if y[i] != 0 {
					t.Errorf("%s %s: element %d is %v, want 0 (the scale underflows)", name, dt, i, y[i])
				}
			}
		}
	}
}

func TestDequantizePanicsOnWrongLengths(t *testing.T) {
	for _, c := range []struct {
		dt    op.DType
		elems int
		bytes int
	}{{op.Q8_0, 31, 34}, {op.Q4_0, 32, 17}, {op.F16, 3, 7}, {op.U32, 1, 4}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: %d elements in %d bytes were accepted", c.dt, c.elems, c.bytes)
				}
			}()
			Dequantize(c.dt, make([]float32, c.elems), make([]byte, c.bytes))
		}()
	}
}

func TestQuantizePanicsWhereNothingIsWritten(t *testing.T) {
	for _, dt := range Types() {
		elems, size := dt.Block()
		func() {
			defer func() {
				if refused := recover() != nil; refused == Encodes(dt) {
					t.Errorf("%s: panicked %t, Encodes says %t", dt, refused, Encodes(dt))
				}
			}()
			Quantize(dt, make([]byte, size), make([]float32, elems))
		}()
	}
}
