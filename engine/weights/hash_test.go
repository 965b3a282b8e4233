package weights

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// threePieces is a file of two full pieces and a bit, with its manifest entry.
func threePieces(t *testing.T) ([]byte, File) {
	t.Helper()
	b := make([]byte, 2*PieceSize+12345)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(b)
	f, err := Describe("dit", "dit.gguf", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Pieces) != 3 || f.Bytes != int64(len(b)) {
		t.Fatalf("%d pieces of %d bytes", len(f.Pieces), f.Bytes)
	}
	return b, f
}

func TestHashGolden(t *testing.T) {
	f, err := Describe("dit", "x", strings.NewReader("abc"))
	if err != nil {
		t.Fatal(err)
	}
	// FIPS 180-4's own example, and the hash of that hash.
	const abc, root = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "4f8b42c22dd3729b519ba6f68d2da7cc5b2d606d05daed5ad5128cc03e6c6358"
	if f.Pieces[0] != abc || f.SHA256 != root {
		t.Errorf("%+v", f)
	}
}

func TestEveryFlippedBitIsCaught(t *testing.T) {
	b, f := threePieces(t)
	rng := rand.New(rand.NewPCG(3, 4))
	caught := 0
	for range 300 {
		at, bit := rng.IntN(len(b)), byte(1)<<rng.IntN(8)
		b[at] ^= bit
		piece := File{Path: f.Path} // only the piece hit is read, which is what a download does
		i := at / PieceSize
		end := min((i+1)*PieceSize, len(b))
		piece.Bytes, piece.Pieces = int64(end-i*PieceSize), f.Pieces[i:i+1]
		if err := piece.Verify(t.Context(), bytes.NewReader(b[i*PieceSize:end]), nil); fault.Is(err, fault.WeightsHash) {
			caught++
		} else {
			t.Errorf("bit %#02x of byte %d: %v", bit, at, err)
		}
		b[at] ^= bit
	}
	if caught != 300 {
		t.Errorf("%d of 300 flips caught", caught)
	}
	if err := f.Verify(t.Context(), bytes.NewReader(b), nil); err != nil {
		t.Errorf("the restored file: %v", err)
	}
}

func TestWrongFilesAreCaught(t *testing.T) {
	b, f := threePieces(t)
	swapped := append([]byte(nil), b...)
	copy(swapped, b[PieceSize:2*PieceSize])
	copy(swapped[PieceSize:], b[:PieceSize])
	flipped := append([]byte(nil), b...)
	flipped[len(b)-1] ^= 1
	for name, c := range map[string]struct {
		file []byte
		code fault.Code
		say  string
	}{
		"one byte short":    {b[:len(b)-1], fault.WeightsTruncated, "8400952 bytes, model.json says 8400953"},
		"one piece short":   {b[:PieceSize], fault.WeightsTruncated, "4194304"},
		"empty":             {nil, fault.WeightsTruncated, "0 bytes"},
		"one byte appended": {append(b[:len(b):len(b)], 0), fault.WeightsFormat, "8400954"},
		"pieces swapped":    {swapped, fault.WeightsHash, "piece 1 of 3"},
		"last bit flipped":  {flipped, fault.WeightsHash, "piece 3 of 3"},
	} {
		err := f.Verify(t.Context(), bytes.NewReader(c.file), nil)
		if !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v, wanted %s saying %q", name, err, c.code, c.say)
		}
	}
	// A manifest whose pieces were swapped with the data no longer has their root.
	f.Pieces[0], f.Pieces[1] = f.Pieces[1], f.Pieces[0]
	c := &checker{}
	if checkHashes(c, &f); c.err == nil {
		t.Error("swapped piece hashes kept the root")
	}
}

func TestVerifyReportsAndStops(t *testing.T) {
	b, f := threePieces(t)
	ctx, cancel := context.WithCancel(t.Context())
	var done []int64
	err := f.Verify(ctx, bytes.NewReader(b), func(n int64) {
		if done = append(done, n); len(done) == 2 {
			cancel()
		}
	})
	if !fault.Is(err, fault.Aborted) || len(done) != 2 || done[1] != 2*PieceSize {
		t.Errorf("stopped after %v: %v", done, err)
	}
	done = nil
	if err := f.Verify(t.Context(), bytes.NewReader(b), func(n int64) { done = append(done, n) }); err != nil || len(done) != 3 || done[2] != f.Bytes {
		t.Errorf("%v, %v", done, err)
	}
}
