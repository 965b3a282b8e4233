package weights

import (
	"io"
	"sort"

	"undertone/engine/op"
)

// Joined is a Source of runs of bytes of other sources, one after the other. It
// copies nothing: op.RunAt tells where the bytes are.
type Joined struct {
	runs []run
	size int64
}

// run begins at a byte of the whole and ends where the next one begins.
type run struct {
	start int64
	src   op.Source
	at    int64 // in src
}

// Append adds n bytes of a source, from at on. They must lie in it.
func (j *Joined) Append(src op.Source, at, n int64) {
	if n > 0 {
		j.runs = append(j.runs, run{j.size, src, at})
		j.size += n
	}
}

// Size is that of all runs together.
func (j *Joined) Size() int64 { return j.size }

// Run finds the run that has a byte (op.JoinedSource).
func (j *Joined) Run(off int64) (op.Source, int64, int64) {
	i := sort.Search(len(j.runs), func(i int) bool { return j.runs[i].start > off }) - 1
	end := j.size
	if i+1 < len(j.runs) {
		end = j.runs[i+1].start
	}
	r := j.runs[i]
	return r.src, r.at + off - r.start, end - off
}

// ReadAt reads from one run after another.
func (j *Joined) ReadAt(b []byte, off int64) (int, error) { return ReadRuns(j, b, off) }

// ReadRuns is the ReadAt of a joined source.
func ReadRuns(src op.JoinedSource, b []byte, off int64) (done int, err error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for done < len(b) {
		if off >= src.Size() {
			return done, io.EOF
		}
		from, at, have := src.Run(off)
		part := b[done:]
		if int64(len(part)) > have {
			part = part[:have]
		}
		n, err := from.ReadAt(part, at)
		done, off = done+n, off+int64(n)
		if n < len(part) {
			if err == nil {
				err = io.ErrNoProgress
			}
			return done, err
		}
	}
	return done, nil
}
