package weights

import (
	"encoding/binary"
	"io"
	"math"
	"strings"

	"undertone/engine/op"
)

// readFull fills b from offset off of src.
func readFull(src op.Source, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return refuse(Truncated, "the file ends at byte %d, %d are needed", off+int64(n), off+int64(len(b)))
	case err == nil:
		err = io.ErrNoProgress
	}
	return unreadable(err, off, int64(len(b)))
}

// cursor reads a header front to back through a small buffer. The first error
// sticks: later reads give zeros, so that a parser asks for err where it would
// act on what it read.
type cursor struct {
	src      op.Source
	off, end int64 // of the next byte; of the header or file
	buf      []byte
	have     []byte          // the unread part of buf
	pool     strings.Builder // holds many short texts: one allocation each would cost more than they do
	memory   memory
	err      error
}

const poolSize = 16 << 10

// charge is asked before n bytes of memory are set aside for the next size bytes
// of the header, which the file has.
func (c *cursor) charge(n, size int64) bool {
	c.memory.limit = max(c.memory.limit, budget(c.off+size))
	if err := c.memory.charge(n); err != nil {
		c.fail(err)
	}
	return c.err == nil
}

// fits makes sure that the next n things of at least size bytes each lie inside
// the file and inside what a header may have.
func (c *cursor) fits(what string, n uint64, size int64) bool {
	switch {
	case c.err != nil:
	case n > uint64(c.left()/size):
		c.fail(refuse(Truncated, "%s of %d, %d bytes are left in the file", what, n, c.left()))
	case int64(n)*size > maxHeader-c.off:
		c.fail(refuse(TooLong, "%s of %d at byte %d: headers may have %d bytes", what, n, c.off, int64(maxHeader)))
	}
	return c.err == nil
}

func newCursor(src op.Source, off, end int64) *cursor {
	return &cursor{src: src, off: off, end: end, buf: make([]byte, min(16<<10, max(0, end-off)))}
}

func (c *cursor) left() int64 { return c.end - c.off }

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// fill makes at least one byte available.
func (c *cursor) fill() bool {
	if c.err != nil {
		return false
	}
	if len(c.have) > 0 {
		return true
	}
	if c.left() <= 0 {
		c.fail(refuse(Truncated, "the header ends at byte %d in the middle of an entry", c.end))
		return false
	}
	b := c.buf[:min(int64(len(c.buf)), c.left())]
	if err := readFull(c.src, b, c.off); err != nil {
		c.fail(err)
		return false
	}
	c.have = b
	return true
}

func (c *cursor) read(dst []byte) {
	for len(dst) > 0 {
		if !c.fill() {
			clear(dst)
			return
		}
		n := copy(dst, c.have)
		dst, c.have, c.off = dst[n:], c.have[n:], c.off+int64(n)
	}
}

// word reads an n-byte little-endian number, n ≤ 8.
func (c *cursor) word(n int) uint64 {
	var b [8]byte
	c.read(b[:n])
	return binary.LittleEndian.Uint64(b[:])
}

func (c *cursor) u32() uint32  { return uint32(c.word(4)) }
func (c *cursor) u64() uint64  { return c.word(8) }
func (c *cursor) f32() float32 { return math.Float32frombits(c.u32()) }

// text reads a GGUF string: u64 length, then bytes, which should be UTF-8 and need
// not be.
func (c *cursor) text(what string) string {
	n := c.u64()
	if !c.fits(what, n, 1) {
		return ""
	}
	s := &c.pool
	if n > poolSize/4 {
		if !c.charge(int64(n), int64(n)) {
			return ""
		}
		s = new(strings.Builder)
		s.Grow(int(n))
	} else if int(n) > s.Cap()-s.Len() {
		if !c.charge(poolSize, poolSize) {
			return ""
		}
		*s = strings.Builder{}
		s.Grow(poolSize)
	}
	start := s.Len()
	for rest := int(n); rest > 0 && c.fill(); {
		k := min(rest, len(c.have))
		s.Write(c.have[:k])
		c.have, c.off, rest = c.have[k:], c.off+int64(k), rest-k
	}
	return s.String()[start:]
}
