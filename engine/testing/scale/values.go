package scale

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// spread is the standard deviation of matrices: outputs of a width of some thousands
// keep the size of their inputs. That of vectors, which are stored as F32, is larger, so
// that norms and biases do something.
const (
	spread       = 0.02
	spreadVector = 0.3
)

// period is how many blocks of a type are different. It is prime, and no two pieces of a
// file of 4 MiB are the same: the offsets of two begin with different blocks.
const period = 65521

var patterns sync.Map // op.DType → func() []byte

// pattern is what tensors of a type hold, again and again.
func pattern(dt op.DType) []byte {
	f, _ := patterns.LoadOrStore(dt, sync.OnceValue(func() []byte { return values(dt) }))
	return f.(func() []byte)()
}

// values are the blocks of one period.
func values(dt op.DType) []byte {
	rng := rand.New(rand.NewPCG(uint64(dt), 1))
	elems, size := dt.Block()
	out := make([]byte, period*size)
	if dt == op.Q4_K {
		for block := range period {
			superblock(out[block*size:][:size], rng)
		}
		return out
	}
	scale := float32(spread)
	if dt == op.F32 {
		scale = spreadVector
	}
	x := make([]float32, period*elems)
	for i := range x {
		x[i] = scale * float32(rng.NormFloat64())
	}
	quant.Quantize(dt, out, x)
	return out
}

// superblock fills a block of Q4_K: random quants (0 to 15), scales and minima (0 to 63)
// behind the two factors of these. The factors put the mean at 0.
func superblock(b []byte, rng *rand.Rand) {
	const quants, scales = 7.5, 31.5 // on average
	d := float32(spread / (4.6 * scales))
	binary.LittleEndian.PutUint16(b, quant.ToFloat16(d))
	binary.LittleEndian.PutUint16(b[2:], quant.ToFloat16(d*quants))
	for i := 4; i < len(b); i++ {
		b[i] = byte(rng.Uint32())
	}
}
