package engine

import (
	"fmt"
	"maps"

	"undertone/engine/checkpoint"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// DescribePublished says what published files are, part by part, and, where every network
// is there, what the model offers: the description is nil where one is missing. limits are
// those of a device, as op.Info has them; without any, nothing is said of what fits. Errors:
// those of Offer and Describe, but for PartMissing.
func DescribePublished(found *checkpoint.Found, limits map[string]int64) (p recipe.Published, d *recipe.Description, err error) {
	p = recipe.Published{Variant: found.Variant, Family: found.Family, Parts: []recipe.PublishedPart{},
		Missing: []recipe.MissingPart{}, Unused: []recipe.UnusedFile{}, Tokenizers: maps.Clone(found.Tokenizers)}
	for _, x := range found.Parts {
		p.Parts = append(p.Parts, recipe.PublishedPart{Role: x.Role, Name: x.Name, Kind: x.Kind, Title: x.Title, Files: x.Files,
			Type: x.Type, DiskBytes: x.Bytes, LargestBytes: x.Largest})
	}
	if x := found.Adapter; x != nil { // its weights on a device are counted with the transformer's
		p.Parts = append(p.Parts, recipe.PublishedPart{Role: x.Role, Kind: x.Kind, Title: x.Title, Files: x.Files, Type: x.Type, DiskBytes: x.Bytes, LargestBytes: x.Largest})
	}
	for _, m := range found.Missing {
		p.Missing = append(p.Missing, recipe.MissingPart{Role: m.Role, Name: m.Name, What: m.What, File: m.File, Where: m.Where, Required: !m.Optional})
	}
	for _, name := range found.Ignored {
		p.Unused = append(p.Unused, recipe.UnusedFile{File: name, Why: "model_index.json does not name it"})
	}
	if found.Complete(false) != nil {
		return p, nil, nil
	}
	m, err := Offer(found)
	if err == nil && found.Complete(true) == nil {
		var b *weights.Bundle
		if b, err = Open(found); err == nil { // with the tokenizers
			m = &b.Manifest
		}
	}
	if err != nil {
		return p, nil, err
	}
	described, err := Describe(m)
	if err != nil {
		return p, nil, err
	}
	estimate, err := EstimateModel(m, proposed(m), limits)
	if err != nil {
		return p, nil, err
	}
	for i, e := range estimate.Parts { // in the order of the parts, of which Offer made the components
		p.Parts[i].DeviceBytes, p.Parts[i].PeakBytes, p.Parts[i].LargestBytes = e.DeviceBytes, e.PeakBytes, e.LargestBytes
	}
	p.LeastBytes = estimate.LeastBytes
	p.Fits, err = fits(m, limits)
	return p, &described, err
}

// fits compares the largest tensor of the proposed picture with a device's limits.
func fits(m *weights.Manifest, limits map[string]int64) (*recipe.Fits, error) {
	f := &recipe.Fits{Buffer: limits[op.LimitBuffer], Binding: limits[op.LimitBinding]}
	if f.Buffer <= 0 || f.Binding <= 0 {
		return nil, nil
	}
	most := min(f.Buffer, f.Binding)
	largest := func(size recipe.Size) (int64, error) {
		r := proposed(m)
		r.Size = size
		_, e, err := plan(m, r, limits)
		return e.LargestTensor, err
	}
	var err error
	if f.Largest, err = largest(m.Defaults.Size); err != nil {
		return nil, err
	}
	if f.OK = f.Largest <= most; f.OK {
		return f, nil
	}
	f.Why = fmt.Sprintf("the largest tensor of a picture of %v has %d bytes, this device allows %d", m.Defaults.Size, f.Largest, most)
	area := func(s recipe.Size) int { return s.Width * s.Height }
	for _, s := range m.Sizes {
		if area(s) >= area(m.Defaults.Size) || f.Size != nil && area(s) <= area(*f.Size) {
			continue
		}
		n, err := largest(s)
		if err != nil {
			return nil, err
		}
		if n <= most {
			f.Size = &s
		}
	}
	return f, nil
}
