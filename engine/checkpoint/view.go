package checkpoint

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// View is a network's tensors as the engine's loaders ask for them: an index whose
// offsets count in Source. Nothing is copied; see weights.Joined.
type View struct {
	Index  *weights.Index
	Source op.Source
}

// tensor is a tensor of one of the files.
type tensor struct {
	weights.Tensor
	file *file
}

// unit is what belongs together: one file, or the shards of one.
type unit struct {
	label    string // the file's name, or that of the first shard
	folder   string
	files    []*file
	names    []string // sorted
	tensors  map[string]tensor
	settings object // of the config.json beside it, or nil
	used     map[string]bool
}

// lacks names the first tensor that a layout needs and a unit does not have.
type lacks struct {
	name  string
	count int
}

func (l *lacks) note(name string) {
	if l.count == 0 {
		l.name = name
	}
	l.count++
}

// signed reports whether a unit has the tensors under a prefix that tell a layout.
func (l *layout) signed(u *unit, prefix string) bool {
	for _, name := range l.sign {
		name, without := strings.CutPrefix(name, "!")
		some := slices.ContainsFunc(strings.Split(name, "|"), func(name string) bool { _, ok := u.tensors[prefix+name]; return ok })
		if some == without {
			return false
		}
	}
	return true
}

// view makes the tensors of a layout out of those that stand under a prefix.
func (l *layout) view(u *unit, prefix string) (*View, error) {
	names := u.under(prefix)
	b := &builder{unit: u, prefix: prefix, lasts: map[string]int{}, made: map[string]bool{}, index: &weights.Index{Format: u.files[0].index.Format}}
	failed, once := lacks{}, map[string]string{} // once: what a row lacked for a tensor that a later row may make
	for _, r := range l.rows {
		for _, at := range b.places(r, names) {
			to := r.to.name(at)
			if b.made[to] {
				continue
			}
			missing, err := b.make(to, r, at)
			if err != nil {
				return nil, err
			}
			if missing != "" && !r.optional && once[to] == "" {
				once[to] = missing
			}
		}
	}
	for _, to := range sortedKeys(once) {
		if !b.made[to] {
			failed.note(prefix + once[to])
		}
	}
	if failed.count > 0 {
		return nil, fault.New(fault.WeightsMissing, "%s has no tensor %.120q, which every %s has (%d such in all): the file is incomplete", shown(u.label), failed.name, l.title, failed.count)
	}
	sort.Slice(b.index.Tensors, func(i, j int) bool { return b.index.Tensors[i].Name < b.index.Tensors[j].Name })
	return &View{b.index, &b.source}, nil
}

// under lists the names that stand under a prefix, without it.
func (u *unit) under(prefix string) []string {
	first, _ := slices.BinarySearch(u.names, prefix)
	var out []string
	for _, name := range u.names[first:] {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			break
		}
		out = append(out, rest)
	}
	return out
}

// builder collects the tensors of a view.
type builder struct {
	unit   *unit
	prefix string
	lasts  map[string]int // the highest number behind a literal, −1 where there is none
	made   map[string]bool
	index  *weights.Index
	source weights.Joined
}

// last is the highest number that follows a literal in any name.
func (b *builder) last(literal string, names []string) int {
	last, known := b.lasts[literal]
	if known {
		return last
	}
	last = -1
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, literal); ok {
			if n, rest, ok := leadingNumber(rest); ok && strings.HasPrefix(rest, ".") {
				last = max(last, n)
			}
		}
	}
	b.lasts[literal] = last
	return last
}

// places lists the numbers with which a row's first name stands in the file, and with
// which it should.
func (b *builder) places(r row, names []string) (out []numbers) {
	p := r.from[0]
	if len(p.holes) == 0 {
		return []numbers{{}}
	}
	last := b.last(p.literals[0], names)
	if p.has(holeLast) {
		if last < 0 {
			return nil
		}
		return []numbers{{n: last, last: last}}
	}
	most := 0 // of {M}
	if r.optional || p.has(holeM) {
		for _, name := range names {
			if at, ok := p.match(name); ok {
				at.last = last
				out = append(out, at)
				most = max(most, at.m)
			}
		}
	}
	if r.optional {
		return out
	}
	end := last + 1
	if r.notLast {
		end--
	}
	// Far more blocks than names is a file that is not what it seems: one missing
	// block says so.
	end = min(end, len(names)+1)
	out = out[:0]
	for n := range end {
		for m := range min(most+1, len(names)+1) {
			out = append(out, numbers{n, m, last})
			if len(out) > 2*len(names) {
				return out
			}
		}
	}
	return out
}

// make adds the tensor that a row makes at some numbers, or tells which one is missing
// for it.
func (b *builder) make(to string, r row, at numbers) (missing string, err error) {
	parts := make([]tensor, len(r.from))
	for i, p := range r.from {
		name := p.name(at)
		t, ok := b.unit.tensors[b.prefix+name]
		if !ok {
			return name, nil
		}
		parts[i] = t
	}
	t := parts[0].Tensor
	t.Name, t.Offset = to, b.source.Size()
	if len(parts) > 1 {
		if err := joinRows(&t, parts); err != nil {
			return "", err
		}
	}
	if r.swap {
		if err := halves(t); err != nil {
			return "", err
		}
	}
	for _, p := range parts {
		if n := p.Bytes; n != weights.UnknownBytes {
			half := int64(0)
			if r.swap {
				half = n / 2
			}
			b.source.Append(p.file.source, p.Offset+half, n-half)
			b.source.Append(p.file.source, p.Offset, half)
		}
		b.unit.used[p.Name] = true
	}
	b.made[to] = true
	b.index.Tensors = append(b.index.Tensors, t)
	return "", b.scales(to, parts, r.swap)
}

// joinRows makes t the tensor of the rows of all parts.
func joinRows(t *weights.Tensor, parts []tensor) error {
	if len(t.Shape) == 0 {
		return fault.New(fault.WeightsFormat, "tensor %.120q is a single value, wanted rows", parts[0].Name)
	}
	t.Shape, t.Bytes = slices.Clone(t.Shape), 0
	t.Shape[0] = 0
	for _, p := range parts {
		switch {
		case p.DType != t.DType || p.Type != t.Type:
			return fault.New(fault.ModelUnsupported, "tensor %.120q is stored as %s and %.120q as %s; they are one matrix here, and must be of one type", parts[0].Name, parts[0].Type, p.Name, p.Type)
		case len(p.Shape) != len(t.Shape) || !slices.Equal(p.Shape[1:], t.Shape[1:]):
			return fault.New(fault.WeightsMissing, "tensor %.120q has the shape %.80s, which does not follow %.80s of %.120q", p.Name, fmt.Sprint(p.Shape), fmt.Sprint(parts[0].Shape), parts[0].Name)
		case p.Bytes == weights.UnknownBytes:
			t.Bytes = weights.UnknownBytes
		case t.Bytes != weights.UnknownBytes:
			t.Bytes += p.Bytes
		}
		t.Shape[0] += p.Shape[0]
	}
	if len(t.Shape) == 1 {
		return wholeBlocks(parts)
	}
	return nil
}

// wholeBlocks makes sure that vectors can follow each other in blocks.
func wholeBlocks(parts []tensor) error {
	for _, p := range parts {
		if p.Readable() != nil {
			return nil // nobody reads it
		}
		if elems, _ := p.DType.Block(); p.Elems()%int64(elems) != 0 {
			return fault.New(fault.ModelUnsupported, "tensor %.120q of %d elements of %s does not end with a block", p.Name, p.Elems(), p.Type)
		}
	}
	return nil
}

// halves makes sure that the rows of a tensor have two halves, whole blocks each.
func halves(t weights.Tensor) error {
	if len(t.Shape) == 0 || t.Shape[0]%2 != 0 {
		return fault.New(fault.WeightsMissing, "tensor %.120q has the shape %.80s, wanted an even number of rows", t.Name, fmt.Sprint(t.Shape))
	}
	if t.Readable() == nil {
		if elems, _ := t.DType.Block(); t.Elems()/2%int64(elems) != 0 {
			return fault.New(fault.ModelUnsupported, "half of tensor %.120q, %d elements of %s, does not end with a block", t.Name, t.Elems()/2, t.Type)
		}
	}
	return nil
}
