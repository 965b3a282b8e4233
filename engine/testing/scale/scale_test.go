package scale

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math"
	"testing"

	"undertone/engine/op"
	"undertone/engine/weights"
)

// A file has the tensors that were asked for, in numbers that can be computed with, and no
// piece of it is like another: the store keeps equal ones once.
func TestFile(t *testing.T) {
	for _, linear := range []op.DType{op.Q4_0, op.Q4_K, op.Q8_0, op.F16, op.BF16} {
		f, err := SD35("small", linear, 2, 4, 1, 96).Make()
		if err != nil {
			t.Fatal(err)
		}
		x, err := weights.Parse(f)
		if err != nil {
			t.Fatal(err)
		}
		if x.Gaps != 0 || x.Tail != 0 {
			t.Errorf("%s: %d bytes between the tensors, %d behind them", linear, x.Gaps, x.Tail)
		}
		found := false
		for _, tensor := range x.Tensors {
			var sum, squares float64
			err := weights.Each(f, tensor, func(_ int64, x []float32) error {
				for _, v := range x {
					sum, squares = sum+float64(v), squares+float64(v)*float64(v)
				}
				return nil
			})
			n := float64(tensor.Elems())
			if err != nil || n > 1000 && (math.Abs(sum/n) > 0.05 || math.Abs(squares/n) > 0.1 || squares/n < 1e-5) {
				t.Errorf("%s %s: mean %g, mean square %g, %v", tensor.DType, tensor.Name, sum/n, squares/n, err)
			}
			found = found || tensor.DType == linear
		}
		if !found {
			t.Errorf("no tensor has the type %s", linear)
		}
	}
}

// Bytes are the same however they are read, and the pieces of a large file are all different.
func TestReadAt(t *testing.T) {
	f, err := CLIPL(op.Q4_0, 1).Make()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil || int64(len(whole)) != f.Size() {
		t.Fatalf("%d bytes of %d: %v", len(whole), f.Size(), err)
	}
	for off := int64(0); off < f.Size(); off += 99_991 {
		b := make([]byte, 77_777)
		n, err := f.ReadAt(b, off)
		if !bytes.Equal(b[:n], whole[off:min(off+77_777, f.Size())]) || (err == io.EOF) != (off+77_777 > f.Size()) {
			t.Fatalf("%d bytes at %d: %v", n, off, err)
		}
	}
	seen := map[[32]byte]int64{}
	for off := int64(0); off < f.Size(); off += weights.PieceSize {
		sum := sha256.Sum256(whole[off:min(off+weights.PieceSize, f.Size())])
		if at, twice := seen[sum]; twice {
			t.Errorf("the pieces at %d and %d are the same", at, off)
		}
		seen[sum] = off
	}
}

// What the networks have in published parameters, in millions, and in bytes as files.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		network  Network
		millions float64 // as published, and the table of positions of SD3.5
	}{
		{CLIPL(op.F16, 12), 123}, {CLIPG(op.F16, 32), 695}, {T5(op.BF16), 4762}, {KL(128, 256, 512, 512), 49.5},
		{Flux(op.BF16, 19, 38, false), 11891}, {Flux(op.BF16, 19, 38, true), 11902},
		{SD35("sd3.5_medium", op.BF16, 24, 24, 13, 384), 2243 + 384*384*1536/1e6}, {SD35("sd3.5_large", op.BF16, 38, 38, 0, 192), 8057 + 192*192*2432/1e6},
	} {
		f, err := c.network.Make()
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(f.Size()-f.Head()) / 2e6; math.Abs(got/c.millions-1) > 0.01 {
			t.Errorf("%s has %.1f million parameters, published are %.1f", f.Name, got, c.millions)
		}
	}
}

// The files of a model are described as a bundle that can be opened.
func TestDescribe(t *testing.T) {
	files, err := Model{CLIPL(op.Q4_0, 2), CLIPG(op.Q4_0, 2), SD35("small", op.Q4_0, 2, 2, 1, 8), KL(32, 32, 32, 32)}.Files()
	if err != nil {
		t.Fatal(err)
	}
	b, err := Describe(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Manifest.Files {
		if err := f.Verify(t.Context(), b.Files[f.Path], nil); err != nil {
			t.Error(err)
		}
	}
	if n := len(b.Manifest.Files); n != 6 {
		t.Errorf("%d files, want four networks and two of a tokenizer", n)
	}
}
