package checkpoint

import (
	"encoding/json"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// Found is what a set of files is.
type Found struct {
	Family  string // the kind of the transformer's loader; "" where there is no transformer
	Variant string // for people, as "FLUX.1 schnell"; what shapes do not tell is read from names
	Parts   []Part // text encoders in the family's order, the transformer, the decoder
	// Adapter is a pooled adapter in a file of its own, nil without one. The transformer
	// among the parts has its tensors too.
	Adapter *Part
	// Missing are the parts that a picture takes beside these.
	Missing []Missing
	// Tokenizers are the files that tell each text encoder's tokenizer, by its name:
	// tokenizer.json, merges.txt with vocab.json or alone, OpenCLIP's file of merges, the
	// .model of sentencepiece, or a GGUF file with its words. Words opens them.
	Tokenizers map[string][]string
	// Unused counts tensors that no part reads, as those of an encoder of pictures.
	Unused int
	// Ignored are weight files of a diffusers folder that its model_index.json does not name.
	Ignored []string
	// Settings are those of the publisher's example.
	Settings

	words map[string]op.Source // the files of tokenizers, by name
}

// Settings are what a first picture is made with.
type Settings struct {
	Steps    int
	CFG      float64         // the scale of classifier-free guidance, two passes a step; 1: none
	Guidance float64         // the scale that the transformer embeds; 0 where it embeds none
	Schedule json.RawMessage // in the words of engine/sample
}

// Part is one network, ready for its loader. A decoder's configuration lacks the factors
// of its latent where neither a transformer nor a config.json tells them: shapes do not.
type Part struct {
	weights.Component
	*View
	Title   string   // for people, as "CLIP"
	Files   []string // the names of the files that hold it
	Bytes   int64    // of its tensors
	Largest int64    // bytes of its largest tensor
	Type    string   // of that tensor
}

// Missing is a part that is not there.
type Missing struct {
	Role, Name string // as those of a component; "tokenizer" is a role, too
	What       string // for people
	File       string // what the file is usually called
	Where      string // and where people usually have it
	Optional   bool   // pictures can be made without it
}

// candidate is a network that was found in a unit.
type candidate struct {
	Part
	unit   *unit
	prefix string
	config config
}

// Identify finds out what files are, by the names and shapes in them: a diffusers
// folder, a single file, or the parts of a model apart. It reads headers and JSON, no
// weights, and keeps the sources, which must stay open as long as the views are used.
//
// Errors: ModelUnsupported where the files are something else; PartsMixed where they are
// parts that do not belong together; WeightsMissing where one is incomplete;
// ManifestInvalid for JSON; and those of weights.Survey.
func Identify(files []File) (*Found, error) {
	if len(files) == 0 {
		return nil, fault.New(fault.ModelUnsupported, "no file was given")
	}
	g, err := sortOut(files)
	if err != nil {
		return nil, err
	}
	found := &Found{Ignored: g.left, Tokenizers: map[string][]string{}, words: map[string]op.Source{}}
	var all []*candidate
	for _, u := range g.units {
		cs, err := recognize(u)
		if err != nil {
			return nil, err
		}
		all = append(all, cs...)
	}
	if len(all) == 0 {
		return nil, fault.New(fault.WeightsNone, "there is no weight file among %d files, the first of which is %s", len(files), shown(files[0].Name))
	}
	for _, u := range g.units {
		found.Unused += len(u.names) - len(u.used)
	}
	return found, found.assemble(g, all)
}

// recognize finds the networks of a unit.
func recognize(u *unit) (out []*candidate, err error) {
	if err := refuseKnown(u, foreign); err != nil {
		return nil, err
	}
	if err := u.marked(); err != nil {
		return nil, err
	}
	all, networks := layouts(), 0
	for i := range all {
		l := &all[i]
		for _, prefix := range l.prefixes {
			if !l.signed(u, prefix) {
				continue
			}
			v, err := l.view(u, prefix)
			if err != nil {
				return nil, err
			}
			c := &candidate{Part: Part{View: v, Title: l.title}, unit: u, prefix: prefix}
			c.Kind = l.kind
			out = append(out, c)
			if l.kind != RoleAdapter {
				networks++
			}
		}
	}
	if networks > 1 {
		u.settings = nil // nobody knows of which of them
	}
	for _, c := range out {
		r := &reading{View: c.View, unit: u}
		if c.config = readers[c.Kind](r); r.err != nil {
			return nil, r.err
		}
		if err := c.config.apply(c.Kind, u); err != nil {
			return nil, err
		}
		if err := c.describe(); err != nil {
			return nil, err
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if err := refuseKnown(u, others); err != nil {
		return nil, err
	}
	first := u.names[:min(3, len(u.names))]
	return nil, fault.New(fault.ModelUnsupported,
		"%s has %d tensors, the first of which are %.200q; looked for FLUX.1, Stable Diffusion 3, HiDream-I1, Cosmos, CLIP, T5, Llama, AutoencoderKL, AutoencoderKLWan, TAESD and pooled adapters", shown(u.label), len(u.names), first)
}

// describe fills in what is known of a network by itself.
func (c *candidate) describe() error {
	switch c.Kind {
	case "flux", "sd3", "hidream", "cosmos":
		c.Role, c.File = weights.RoleTransformer, "dit"
		return c.checkTransformer()
	case "kl", "tiny", "causal3d":
		c.Role, c.File = weights.RoleDecoder, "vae"
	case RoleAdapter:
		c.Role = RoleAdapter
	case "t5":
		c.Role, c.Name = weights.RoleText, t5
	case "llama":
		c.Role, c.Name = weights.RoleText, llama
		if err := c.finishLlama(); err != nil {
			return err
		}
	case "clip":
		c.Role = weights.RoleText
		if err := c.whichCLIP(); err != nil {
			return err
		}
	}
	if c.Role == weights.RoleText {
		c.File = c.Name
	}
	for _, f := range c.unit.files {
		c.Files = append(c.Files, f.name)
	}
	return nil
}

// checkTransformer looks for what neither the shapes nor a config.json told.
func (c *candidate) checkTransformer() error {
	for _, f := range c.unit.files {
		c.Files = append(c.Files, f.name)
	}
	switch {
	case c.Kind == "flux" && c.config["axes_dim"] == nil:
		return fault.New(fault.ModelUnsupported, "%s is a FLUX.1 whose heads are not %d wide: how its positions are divided stands in config.json, which is not beside it", shown(c.unit.label), fluxHead)
	case c.Kind == "hidream":
		d, _ := c.Index.Lookup("x_embedder.proj.weight")
		heads, head := number(c.config["num_attention_heads"]), number(c.config["attention_head_dim"])
		if heads*head != float64(d.Shape[0]) {
			return fault.New(fault.ModelUnsupported, "%s is %d wide, which is not %g heads of %g: they stand in config.json", shown(c.unit.label), d.Shape[0], heads, head)
		}
	case c.Kind == "sd3":
		d, _ := c.Index.Lookup("x_embedder.proj.weight")
		heads, head := number(c.config["num_attention_heads"]), number(c.config["attention_head_dim"])
		if heads*head != float64(d.Shape[0]) {
			return fault.New(fault.ModelUnsupported, "%s is %d wide, which is not %g heads of %g: they stand in config.json", shown(c.unit.label), d.Shape[0], heads, head)
		}
	}
	return nil
}

// number reads a number of a configuration, which a config.json may have given.
func number(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// whichCLIP tells the two apart: by the prefix of a file that holds both, by the width
// of the published ones, and by the activation in config.json.
func (c *candidate) whichCLIP() error {
	for _, known := range clips {
		activation := c.config["activation"]
		switch {
		case strings.Contains(c.prefix, known.name), c.config["hidden_size"] == known.width:
			c.Name = known.name
			if activation == nil {
				c.config["activation"] = known.activation
			}
			return nil
		case activation == known.activation:
			c.Name = known.name
		}
	}
	if c.Name == "" {
		return fault.New(fault.ModelUnsupported, "%s is a CLIP %d wide, known are 768 and 1280: its activation stands in config.json, which is not beside it", shown(c.unit.label), c.config["hidden_size"])
	}
	return nil
}
