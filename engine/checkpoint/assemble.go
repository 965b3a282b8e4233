package checkpoint

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// assemble puts the networks together and finishes their configurations.
func (f *Found) assemble(g *given, all []*candidate) error {
	var transformer, decoder, adapter *candidate
	encoders := map[string]*candidate{}
	for _, c := range all {
		var at **candidate
		switch c.Role {
		case weights.RoleTransformer:
			at = &transformer
		case weights.RoleDecoder:
			at = &decoder
		case RoleAdapter:
			at = &adapter
		}
		other := encoders[c.Name]
		if at != nil {
			other, *at = *at, c
		} else {
			encoders[c.Name] = c
		}
		if other != nil {
			return fault.New(fault.PartsMixed, "there are two networks for one place, %s in %s and %s in %s: give one of them", other.Title, shown(other.unit.label), c.Title, shown(c.unit.label))
		}
	}
	if adapter != nil && transformer != nil {
		if err := bind(adapter, transformer); err != nil {
			return err
		}
	}
	if err := f.belong(transformer, decoder, encoders); err != nil {
		return err
	}
	fam, tokens := families["flux"], 512
	if transformer != nil {
		v := chooseVariant(transformer)
		fam, tokens, f.Family, f.Variant, f.Settings = families[transformer.Kind], v.tokens, transformer.Kind, v.title, v.Settings
		if err := f.schedule(g); err != nil {
			return err
		}
	}
	for i, e := range encodersOf(transformer) {
		c := encoders[e.name]
		if c == nil {
			f.miss(weights.RoleText, e.name, e.what, e.optional)
			continue
		}
		if err := e.configure(c, tokens); err != nil {
			return err
		}
		if err := f.add(c); err != nil {
			return err
		}
		f.tokenizer(g, c, i)
	}
	if transformer == nil {
		f.miss(weights.RoleTransformer, "", needDiT, false)
	} else if err := f.add(transformer); err != nil {
		return err
	}
	if err := f.adapt(adapter, transformer != nil); err != nil {
		return err
	}
	if decoder == nil {
		what := needFluxVAE
		switch f.Family {
		case "sd3":
			what = needSD3VAE
		case "cosmos":
			what = needWanVAE
		}
		f.miss(weights.RoleDecoder, "", what, false)
		return nil
	}
	return f.decoder(decoder, fam)
}

// encodersOf lists the encoders that a transformer reads: those of its family and, of one
// with an adapter, that of the pooled vector. Without a transformer they are all that are
// known, none of which is missing.
func encodersOf(transformer *candidate) []encoder {
	if transformer == nil {
		return append(slices.Clone(families["sd3"].encoders), encoder{name: llama, what: needLlama})
	}
	all := families[transformer.Kind].encoders
	if transformer.config["pooled_dim"] != nil {
		all = append(slices.Clone(all), encoder{name: clipL, width: 768, pad: -1, what: needCLIPL})
	}
	return all
}

// belong refuses parts that do not belong together.
func (f *Found) belong(transformer, decoder *candidate, encoders map[string]*candidate) error {
	if transformer == nil {
		return nil
	}
	fam := families[transformer.Kind]
	for _, name := range sortedKeys(encoders) {
		if c := encoders[name]; !slices.ContainsFunc(encodersOf(transformer), func(e encoder) bool { return e.name == name }) {
			return fault.New(fault.PartsMixed, "%s is %s (%s), which %s in %s does not read: leave it out", shown(c.unit.label), c.Title, name, fam.title, shown(transformer.unit.label))
		}
	}
	if decoder == nil {
		return nil
	}
	channels := number(transformer.config["in_channels"])
	if transformer.Kind == "flux" {
		channels /= 4
	}
	if film := decoder.Kind == "causal3d"; film != (transformer.Kind == "cosmos") {
		return fault.New(fault.PartsMixed, "the decoder in %s is %s, which draws no latent of %s in %s", shown(decoder.unit.label), decoder.Title, fam.title, shown(transformer.unit.label))
	}
	if n := decoder.channels(); n != channels {
		return fault.New(fault.PartsMixed, "the decoder in %s reads a latent of %g channels, %s in %s makes one of %g", shown(decoder.unit.label), n, fam.title, shown(transformer.unit.label), channels)
	}
	if kind, by := decoder.reads(); kind != "" && families[kind].latent.scaling != fam.latent.scaling && decoder.unit != transformer.unit {
		return fault.New(fault.PartsMixed, "the decoder in %s is that of %s by its %s, the transformer in %s is %s", shown(decoder.unit.label), families[kind].title, by, shown(transformer.unit.label), fam.title)
	}
	return nil
}

// channels are those of the latent that a decoder reads.
func (c *candidate) channels() float64 {
	if c.Kind == "causal3d" {
		return number(c.config["z_dim"])
	}
	return number(c.config["latent_channels"])
}

// reads tells which family's latents a decoder reads, and by what that is known. Shapes and
// tensors' names do not tell, which are the same for all. Where nothing else does, the
// transformer decides.
func (c *candidate) reads() (kind, by string) {
	if c.Kind == "causal3d" { // of which there is one
		return "cosmos", "tensors"
	}
	if scaling := number(c.config["scaling_factor"]); c.Kind == "kl" && scaling != 0 {
		for _, kind := range sortedKeys(families) {
			if families[kind].latent.scaling == scaling {
				return kind, fmt.Sprintf("config.json (scaling_factor %g)", scaling)
			}
		}
		return "", "" // of a decoder that somebody made
	}
	for _, file := range c.unit.files {
		name := strings.ToLower(path.Base(file.name) + titles(file))
		for _, k := range sortedKeys(families) {
			if slices.ContainsFunc(families[k].names, func(word string) bool { return hasWord(name, word) }) {
				if kind != "" && kind != k {
					return "", "" // it names both
				}
				kind = k
			}
		}
	}
	return kind, "name (give it another if that is wrong)"
}

// hasWord reports whether a name contains a word or, where that has a ^ before it, begins
// with it.
func hasWord(name, word string) bool {
	if first, ok := strings.CutPrefix(word, "^"); ok {
		return strings.HasPrefix(name, first)
	}
	return strings.Contains(name, word)
}

// chooseVariant finds the variant by configuration and, where that does not tell, by
// the names of the files and what they say of themselves.
func chooseVariant(c *candidate) variant {
	names := ""
	for _, file := range c.unit.files {
		names += " " + file.name + titles(file)
	}
	names = strings.ToLower(names)
	variants := families[c.Kind].variants
	i := slices.IndexFunc(variants, func(v variant) bool { return v.is(c.config, names) })
	return variants[i] // the last fits all
}

// titles are what a file says that it is called, each behind a space.
func titles(file *file) (names string) {
	for _, key := range []string{"modelspec.title", "general.name"} {
		if v, ok := file.index.Value(key); ok {
			if text, ok := v.(string); ok {
				names += " " + text
			}
		}
	}
	return names
}

// configure finishes the configuration of a text encoder for its family.
func (e encoder) configure(c *candidate, tokens int) error {
	switch c.Kind {
	case "t5":
		c.config["max_length"], c.config["masked"], c.config["zeroed"] = tokens, e.masked, e.zeroed
		return nil
	case "llama":
		c.config["max_length"] = tokens
		return nil
	}
	pad := c.config["eos"]
	if e.pad >= 0 {
		pad = e.pad
	}
	c.config["pad"] = pad
	if e.penultimate {
		c.config["penultimate"] = true
	}
	// OpenAI's CLIP of single files is read without its projection, as ComfyUI does and
	// diffusers, which takes the identity; a diffusers folder says that it has one.
	arch, _, err := get[[]string](c.unit.settings, nameConfig, "architectures")
	if err != nil {
		return err
	}
	const projection = "text_projection.weight"
	if !e.projected && !(e.penultimate && slices.Contains(arch, "CLIPTextModelWithProjection")) {
		return nil
	}
	r := &reading{View: c.View, unit: c.unit}
	c.config["projection_dim"] = r.dim(projection, 0, 2)
	return r.err
}

// decoder finishes the configuration of a decoder for its family.
func (f *Found) decoder(c *candidate, fam family) error {
	if c.Kind == "causal3d" {
		fam = families["cosmos"]
	}
	scaling, shift := fam.latent.scaling, fam.latent.shift
	if c.Kind == "tiny" { // it takes the latent as the transformer makes it
		scaling, shift = 1, 0
	}
	if (f.Family != "" || c.Kind == "tiny") && c.Kind != "causal3d" {
		for key, v := range map[string]float64{"scaling_factor": scaling, "shift_factor": shift} {
			if c.config[key] == nil {
				c.config[key] = v
			}
		}
	}
	c.config["preview"] = fam.latent.preview(int(c.channels()))
	return f.add(c)
}

// add writes a network's configuration down, and makes it one of the parts.
func (f *Found) add(c *candidate) error {
	err := c.finish()
	f.Parts = append(f.Parts, c.Part)
	return err
}

// adapt gives the transformer, the last of the parts, its adapter.
func (f *Found) adapt(adapter *candidate, transformer bool) error {
	if adapter == nil {
		return nil
	}
	err := adapter.finish()
	f.Adapter = &adapter.Part
	if transformer {
		f.Parts[len(f.Parts)-1].join(f.Adapter)
	}
	return err
}

// finish tells of a network what is known of its tensors, and its configuration.
func (c *candidate) finish() error {
	text, err := json.Marshal(c.config)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "the configuration of %s cannot be written", c.Title)
	}
	c.Config = text
	var largest weights.Tensor
	for _, t := range c.Index.Tensors {
		c.Bytes += max(0, t.Bytes)
		if c.Index.BesideWeight(t.Name) {
			continue
		}
		c.Parameters += t.Elems()
		if largest.Name == "" || t.Elems() > largest.Elems() {
			largest = t
		}
	}
	c.Type, c.Largest = largest.Type, max(0, largest.Bytes)
	return nil
}

func (f *Found) miss(role, name string, what Missing, optional bool) {
	if f.Family == "" && role == weights.RoleText {
		return // nobody knows who would read it
	}
	what.Role, what.Name, what.Optional = role, name, optional
	f.Missing = append(f.Missing, what)
}

// schedule takes a scheduler_config.json's word. Cosmos' says nothing that its family does
// not: its times are Karras', between the same two, and their shift is none.
func (f *Found) schedule(g *given) error {
	if g.scheduler == nil || f.Family == "cosmos" {
		return nil
	}
	type dynamic struct {
		Base   float64 `json:"base"`
		Max    float64 `json:"max"`
		Tokens [2]int  `json:"tokens"`
	}
	out := struct {
		Kind    string   `json:"kind"`
		Shift   float64  `json:"shift,omitempty"`
		Dynamic *dynamic `json:"dynamic,omitempty"`
		List    string   `json:"list,omitempty"`
		Sampler string   `json:"sampler,omitempty"`
	}{Kind: "flow"}
	o, name := g.scheduler, nameScheduler
	moves, _, err := get[bool](o, name, "use_dynamic_shifting")
	class, _, errClass := get[string](o, name, "_class_name")
	if err == nil {
		err = errClass
	}
	var d dynamic
	for key, at := range map[string]any{"shift": &out.Shift, "flow_shift": &out.Shift, "base_shift": &d.Base, "max_shift": &d.Max, "base_image_seq_len": &d.Tokens[0], "max_image_seq_len": &d.Tokens[1]} {
		if raw, ok := o[key]; ok && string(raw) != "null" && err == nil {
			if json.Unmarshal(raw, at) != nil {
				err = fault.New(fault.ManifestInvalid, "%s: %s is %.64s, wanted a number", name, key, raw)
			}
		}
	}
	switch {
	case err != nil:
		return err
	case moves:
		out.Shift, out.Dynamic = 0, &d
	case f.Family == "sd3", f.Family == "hidream":
		out.List = "sd3"
		if class == "UniPCMultistepScheduler" {
			out.List, out.Sampler = "unipc", "unipc"
		} else if class == "FlowMatchLCMScheduler" || f.stochastic() {
			out.Sampler = "lcm"
		}
	case out.Shift == 1:
		out.Shift = 0 // which changes nothing
	}
	f.Schedule, err = json.Marshal(out)
	return err
}

// stochastic reports whether the schedule that is known of the variant adds fresh noise.
func (f *Found) stochastic() bool {
	var known struct {
		Sampler string `json:"sampler"`
	}
	return json.Unmarshal(f.Schedule, &known) == nil && known.Sampler == "lcm"
}
