package checkpoint

import (
	"cmp"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// RoleAdapter is that of a pooled adapter among parts: it is no component, but a piece of
// the transformer's that lies in a file of its own.
const RoleAdapter = "adapter"

// adapterWidths are how many times wider than the stream the vector is that an adapter
// adds to, by the kinds of transformers that read one.
var adapterWidths = map[string]int{"cosmos": 3}

// readAdapter tells an adapter's shape: its pooled vector, the vector that it adds to, and
// the blocks that have a scale for that.
func readAdapter(r *reading) config {
	const first, second = "text_embedder_clip.linear_1", "text_embedder_clip.linear_2"
	width := r.dim("scales", 1, 2)
	for _, x := range []struct {
		name string
		got  int
	}{
		{first + ".weight", r.dim(first+".weight", 0, 2)}, {first + ".bias", r.dim(first+".bias", 0, 1)},
		{second + ".weight", r.dim(second+".weight", 0, 2)}, {second + ".weight", r.dim(second+".weight", 1, 2)}, {second + ".bias", r.dim(second+".bias", 0, 1)},
	} {
		if x.got != width {
			r.unsupported("a pooled adapter whose tensor %.120q is %d wide and whose scales are %d", x.name, x.got, width)
		}
	}
	return config{"pooled_dim": r.dim(first+".weight", 1, 2), "width": width, "blocks": r.dim("scales", 0, 2)}
}

// bind makes sure that an adapter is one of the transformer's, and tells the transformer
// what it reads through it (PartsMixed).
func bind(adapter, transformer *candidate) error {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.PartsMixed, "the pooled adapter in %s "+format, append([]any{shown(adapter.unit.label)}, args...)...)
	}
	title, label := families[transformer.Kind].title, shown(transformer.unit.label)
	times, reads := adapterWidths[transformer.Kind]
	if !reads {
		return refuse("is none of %s in %s, which reads a pooled vector by itself", title, label)
	}
	if had := number(transformer.config["pooled_dim"]); had > 0 {
		return refuse("is a second one: %s in %s has an adapter of a pooled vector of %g already", title, label, had)
	}
	width := times * int(number(transformer.config["num_attention_heads"])*number(transformer.config["attention_head_dim"]))
	if got := number(adapter.config["width"]); int(got) != width {
		return refuse("adds to vectors of %g, those of %s in %s have %d: it is another model's", got, title, label, width)
	}
	if got, layers := number(adapter.config["blocks"]), number(transformer.config["num_layers"]); got != layers {
		return refuse("has scales for %g blocks, %s in %s has %g: it is another model's", got, title, label, layers)
	}
	transformer.config["pooled_dim"] = adapter.config["pooled_dim"]
	return nil
}

// join puts the tensors of an adapter behind those of its transformer.
func (p *Part) join(adapter *Part) {
	base, all := p.View, &weights.Joined{}
	all.Append(base.Source, 0, base.Source.Size())
	all.Append(adapter.Source, 0, adapter.Source.Size())
	index := &weights.Index{Format: base.Index.Format, Tensors: slices.Clone(base.Index.Tensors)}
	for _, t := range adapter.Index.Tensors {
		t.Offset += base.Source.Size()
		index.Tensors = append(index.Tensors, t)
	}
	slices.SortFunc(index.Tensors, func(x, y weights.Tensor) int { return cmp.Compare(x.Name, y.Name) })
	p.View = &View{index, all}
	p.Parameters += adapter.Parameters
}
