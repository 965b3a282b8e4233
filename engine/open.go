package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"undertone/engine/checkpoint"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/guidance"
)

// Open makes a bundle of published files, which Load takes as it takes one with a
// model.json. The files have no hashes: what they hold is believed, as far as the
// readers of weights and words believe anything. The sources of found must stay open as
// long as the bundle is used, and are closed by whoever opened them.
//
// Errors: PartMissing where a network or a tokenizer is not there, and those of Offer.
func Open(found *checkpoint.Found) (*weights.Bundle, error) {
	if err := found.Complete(true); err != nil {
		return nil, err
	}
	m, err := Offer(found)
	if err != nil {
		return nil, err
	}
	files := opened{}
	for _, p := range found.Parts {
		files[p.File] = weights.Indexed(p.Source, p.Index)
	}
	names := map[string]string{} // by what a file was called: text encoders share tokenizers
	for i := range m.Components {
		c := &m.Components[i]
		if c.Role != weights.RoleText {
			continue
		}
		words, err := found.Words(c.Name)
		if err != nil {
			return nil, err
		}
		for k, w := range words {
			given := found.Tokenizers[c.Name][k]
			name, there := names[given]
			if !there {
				name = fmt.Sprintf("%s_tokenizer_%d", c.Name, k+1)
				f := weights.File{Role: "tokenizer", Name: name, Path: c.Name + "_" + w.Name, Bytes: w.Source.Size()}
				m.Files, names[given], files[f.Path] = append(m.Files, f), name, unclosed{w.Source}
			}
			c.Tokenizer = append(c.Tokenizer, name)
		}
	}
	return weights.NewBundle(*m, files)
}

// opened are files that somebody else has opened, by path.
type opened map[string]op.Source

// Open finds a file (HTTPStatus, where there is none).
func (o opened) Open(_ context.Context, name string) (op.Source, error) {
	if src, ok := o[name]; ok {
		return src, nil
	}
	return nil, fault.Wrap(fs.ErrNotExist, fault.HTTPStatus, "there is no file %.80q among %d", name, len(o))
}

// unclosed hides a source's Close.
type unclosed struct{ op.Source }

// maxOffered is the most steps that are offered of a published model.
const maxOffered = 100

// Offer is the model.json of published files, but for tokenizers and hashes: name and
// title, the networks, the publisher's settings, sizes, and the directions that are
// known for the family. Errors: PartMissing where a network is not there,
// ModelUnsupported, ManifestInvalid.
func Offer(found *checkpoint.Found) (*weights.Manifest, error) {
	if err := found.Complete(false); err != nil {
		return nil, err
	}
	m := &weights.Manifest{
		Format: weights.ManifestFormat, Version: weights.ManifestVersion,
		Name: nameOf(found), Title: found.Variant, Family: found.Family, Revision: "as published",
		Licenses: recipe.Licenses{Weights: "the publisher's", Data: "the files do not say"},
		MaxSteps: max(maxOffered, found.Steps), Examples: slices.Clone(examples),
	}
	if err := json.Unmarshal(found.Schedule, &m.Scheduler); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "the schedule %.200s is none", found.Schedule)
	}
	role := map[string]string{weights.RoleText: "text", weights.RoleTransformer: "dit", weights.RoleDecoder: "vae"}
	for _, p := range found.Parts {
		m.Components = append(m.Components, p.Component)
		m.Files = append(m.Files, weights.File{Role: role[p.Role], Name: p.File, Path: p.File, Bytes: p.Source.Size()})
	}
	e := &Engine{}
	if _, err := e.record(m.Components, newCounter(m)); err != nil {
		return nil, err
	}
	if e.transformer == nil || e.decoder == nil {
		return nil, fault.New(fault.PartMissing, "a model has a transformer and a decoder")
	}
	var err error
	if m.Sizes, err = e.sizes(); err != nil {
		return nil, err
	}
	m.Defaults = recipe.Defaults{Steps: found.Steps, Size: m.Sizes[0], CFG: found.CFG, Prompt: examples[0]}
	if found.Guidance > 0 { // the scale that the network reads stands in the same place
		m.Defaults.CFG = found.Guidance
	}
	if e.transformer.Shape().Pooled > 0 { // guidance has no other path
		m.Presets, err = presetsOf(m.Family)
	}
	return m, err
}

// examples are prompts to begin with.
var examples = []string{
	"a lighthouse on a cliff at dawn, waves below, long exposure",
	"three dogs on a beach",
	"a boy with natural and realistic hands holding a paper boat",
}

// nameOf makes a name of the transformer's file, or of its diffusers folder, whose files
// are all called alike; where there is no such folder around it, of what it is.
func nameOf(found *checkpoint.Found) string {
	i := slices.IndexFunc(found.Parts, func(p checkpoint.Part) bool { return p.Role == weights.RoleTransformer })
	file := found.Parts[i].Files[0]
	word := strings.TrimSuffix(path.Base(file), path.Ext(file))
	if folder := path.Dir(file); path.Base(folder) == "transformer" && path.Dir(folder) != "." {
		word = path.Base(path.Dir(folder))
	} else if word == "model" || strings.HasPrefix(word, "diffusion_pytorch_model") {
		word = found.Variant
	}
	slug := func(s string) string { // dashes in place of everything that a name may not have
		return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return !('a' <= c && c <= 'z' || '0' <= c && c <= '9') }), "-")
	}
	name := slug(word)
	if name == "" {
		name = slug(found.Variant)
	}
	return strings.Trim(name[:min(len(name), 64)], "-")
}

// published are sizes around those that the families were trained with, in pixels; the
// first is what their publishers propose.
var published = []recipe.Size{
	recipe.Square(1024), recipe.Square(768), recipe.Square(512), recipe.Square(256),
	{Width: 1024, Height: 768}, {Width: 768, Height: 1024}, {Width: 1024, Height: 576}, {Width: 576, Height: 1024},
	{Width: 768, Height: 512}, {Width: 512, Height: 768},
}

// sizes lists those that a model can make: the published ones, or, of a network whose table
// of positions ends before the smallest, the largest square and its half.
func (e *Engine) sizes() ([]recipe.Size, error) {
	step, side := e.decoder.Shape().Downscale*e.transformer.Shape().Patch, e.transformer.Shape().Side
	fits := func(s recipe.Size) bool {
		return s.Width%step == 0 && s.Height%step == 0 && (side == 0 || max(s.Width, s.Height) <= side*step)
	}
	var out []recipe.Size
	for _, s := range published {
		if fits(s) {
			out = append(out, s)
		}
	}
	for n := side; len(out) < 2 && n > 0; n /= 2 {
		if s := recipe.Square(n * step); s.Width >= 16 && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.ModelUnsupported, "the sides of this model's pictures are multiples of %d pixels, supported up to 1024", step)
	}
	return out, nil
}

// presetsOf are the published directions for a family.
func presetsOf(family string) (out []recipe.Preset, err error) {
	for _, p := range guidance.PresetsFor(family) {
		schedule, err := json.Marshal(p.Schedule)
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "the schedule of %s cannot be written", p.ID)
		}
		out = append(out, recipe.Preset{ID: p.ID, Title: p.Title, Positive: p.Positive, Negative: p.Negative, Weight: p.Weight, Head: p.Head, Schedule: schedule})
	}
	return out, nil
}
