package gpu

import "undertone/engine/op"

// block is a variant of attention_block.wgsl: a workgroup of tx × ty threads takes rows·ty
// queries and cols·tx keys at a time; a thread makes rows × cols scores.
type block struct{ rows, cols, tx, ty int }

var (
	blockWide   = block{8, 4, 16, 8} // 64 queries, 64 keys, 128 threads
	blockSquare = block{8, 8, 8, 8}  // the same in 64 threads: fewer loads, more registers
	blockLow    = block{8, 4, 16, 4} // 32 queries: for few workgroups
	blockLong   = block{4, 4, 32, 4} // 16 queries, 128 keys: for heads over 128 wide, whose results are long
)

// blockParts is how many vec4s of a row of the result a thread may have.
const blockParts = 4

// walk is how a block goes through workgroup memory: columns of a head at a time (in vec4s),
// and keys of the values.
type walk struct {
	depth, slice int
	resident     bool // queries stay in workgroup memory
}

// memory is what a walk takes of workgroup memory, in vec4s of what is stored, and of maxima.
func (b block) memory(w walk, size int) (queries, tile, weights, partial int) {
	q4, k4 := b.rows/4*b.ty, b.cols/4*b.tx
	columns := w.depth
	if w.resident {
		columns = op.CeilDiv(size, w.depth) * w.depth
	}
	return 4 * columns * q4, max(4*w.depth*k4, w.slice*size), w.slice * q4, q4 * b.tx
}

// barriers is how often a workgroup meets for each of its tiles of keys.
func (b block) barriers(w walk, size int) int {
	return 2*op.CeilDiv(size, w.depth) + 1 + 2*b.cols*b.tx/w.slice
}

// readsAgain is how many barriers it is worth not to read queries again.
const readsAgain = 4

// walkFor finds the walk with the fewest barriers for heads of size vec4s that fits into
// bytes of workgroup memory, of which an element takes width. A head of 512 finds one on
// the portable floor.
func (b block) walkFor(size, width, bytes int) (best walk) {
	least := 0
	for _, resident := range []bool{true, false} {
		for chunks := op.CeilDiv(size, 16); chunks <= size; chunks++ {
			for slice := b.cols * b.tx; slice >= 4; slice /= 2 {
				w := walk{op.CeilDiv(size, chunks), slice, resident}
				queries, tile, weights, partial := b.memory(w, size)
				cost := b.barriers(w, size)
				if !resident {
					cost += readsAgain
				}
				if 4*width*(queries+tile+weights)+16*partial <= bytes && (best.depth == 0 || cost < least) {
					best, least = w, cost
				}
			}
		}
	}
	return best
}

// attentionBlock takes one block for every head that it has room for, and the long one
// for others; half keeps queries, keys, values and weights in workgroup memory as f16.
func attentionBlock(b block, bytes int, half bool) func(*op.AttentionOp, Caps) []Launch {
	return func(n *op.AttentionOp, _ Caps) (launches []Launch) {
		b, size := b, n.HeadDim/4
		if op.CeilDiv(size, b.tx) > blockParts || n.HeadDim > 128 {
			b = blockLong
		}
		var c constants
		kept, width := "alias kept = vec4<f32>;\n", 4
		if half {
			kept, width = "alias kept = vec4<f16>;\n", 2
		}
		c += constants(kept)
		c.flag("HALF", half)
		b.constants(&c, size, b.walkFor(size, width, bytes))
		if packed(n) {
			launches = packedAttention(n, "attention_block", c, b.rows*b.ty, "outer", "f32", "scores")
		} else {
			launches = []Launch{partedAttention(n, "attention_block", c, b.rows*b.ty, "outer", "f32", "scores")}
		}
		if half {
			launches[0].Kernel.Enables = []string{"f16"}
		}
		return launches
	}
}

func (b block) constants(c *constants, size int, w walk) {
	c.u32("ROWS", b.rows)
	c.u32("COLS", b.cols)
	c.u32("TX", b.tx)
	c.u32("TY", b.ty)
	c.u32("SIZE", size)
	c.u32("PARTS", op.CeilDiv(size, b.tx))
	c.u32("DEPTH", w.depth)
	c.u32("DEPTHS", op.CeilDiv(size, w.depth))
	c.u32("SLICE", w.slice)
	c.flag("RESIDENT", w.resident)
	queries, tile, weights, partial := b.memory(w, size)
	c.u32("Q_TILE", queries)
	c.u32("TILE", tile)
	c.u32("WEIGHTS", weights)
	c.u32("PARTIAL", partial)
}
