package checkpoint

import (
	"encoding/json"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// RoleAdapter is that of a pooled adapter among parts: it is no component, but a piece of
// the transformer's that lies in a file of its own.
const RoleAdapter = "adapter"

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
	return through(adapter.config, shown(adapter.unit.label), transformer.Kind, transformer.config, families[transformer.Kind].title+" in "+shown(transformer.unit.label))
}

// Adapt gives the configuration of a bundle's transformer, of the given kind, what it reads
// through the adapter that was found, which is all that was (PartsMixed, PartMissing).
func (f *Found) Adapt(kind string, text json.RawMessage) (json.RawMessage, error) {
	if f.Adapter == nil {
		return nil, fault.New(fault.PartMissing, "there is no pooled adapter among the files that should be one")
	}
	if len(f.Parts) > 0 {
		return nil, fault.New(fault.PartsMixed, "%s is in files that should be a pooled adapter alone", f.Parts[0].Title)
	}
	var own, transformer config
	if err := json.Unmarshal(f.Adapter.Config, &own); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "the adapter's configuration cannot be read")
	}
	if err := json.Unmarshal(text, &transformer); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "the transformer's configuration is malformed")
	}
	if err := through(own, shown(f.Adapter.Files[0]), kind, transformer, "the transformer"); err != nil {
		return nil, err
	}
	out, err := json.Marshal(transformer)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "the transformer's configuration cannot be written")
	}
	return out, nil
}

// through lets a transformer read a pooled vector through an adapter, which label and title
// name to people.
func through(adapter config, label, kind string, transformer config, title string) error {
	refuse := func(format string, args ...any) error {
		return fault.New(fault.PartsMixed, "the pooled adapter in %s "+format, append([]any{label}, args...)...)
	}
	size := func(keys ...string) (n float64) {
		for _, k := range keys {
			n += number(transformer[k])
		}
		return n
	}
	if (kind != "cosmos" && kind != "flux") || size("vec_in_dim") > 0 {
		return refuse("is none of %s, which reads a pooled vector by itself", title)
	}
	if had := size("pooled_dim"); had > 0 {
		return refuse("is a second one: %s has an adapter of a pooled vector of %g already", title, had)
	}
	width, layers := size("hidden_size"), size("depth", "depth_single_blocks")
	if kind == "cosmos" {
		width, layers = 3*size("num_attention_heads")*size("attention_head_dim"), size("num_layers")
	}
	if got := number(adapter["width"]); got != width {
		return refuse("adds to vectors of %g, those of %s have %g: it is another model's", got, title, width)
	}
	if got := number(adapter["blocks"]); got != layers {
		return refuse("has scales for %g blocks, %s has %g: it is another model's", got, title, layers)
	}
	transformer["pooled_dim"] = adapter["pooled_dim"]
	return nil
}

// join puts the tensors of an adapter behind those of its transformer.
func (p *Part) join(adapter *Part) {
	index, all := weights.Join(p.Index, p.Source, adapter.Index, adapter.Source)
	p.View = &View{index, all}
	p.Parameters += adapter.Parameters
}
