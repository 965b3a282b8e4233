package main

import (
	"bytes"
	"context"
	"image"
	paint "image/draw"
	_ "image/gif" // what pictures to edit may be of, beside PNG and JPEG
	_ "image/jpeg"
	_ "image/png"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// maxReference bounds the file of a picture to edit, in bytes.
const maxReference = 64 << 20

// picture is the one to edit, nil where none is given.
func (f *generateFlags) picture(ctx context.Context) (*recipe.Reference, error) {
	if !f.given["reference"] {
		return nil, nil
	}
	return readReference(ctx, f.reference)
}

// readReference reads a picture to edit, whose sides are checked before its pixels are read.
func readReference(ctx context.Context, name string) (*recipe.Reference, error) {
	file, err := input.Read(ctx, name, maxReference)
	if err != nil {
		return nil, err
	}
	refuse := func(err error) error {
		return fault.Wrap(err, fault.RequestInvalid, "%s is no picture that can be read; PNG, JPEG and GIF can", name)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, refuse(err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > recipe.MaxReference || c.Height > recipe.MaxReference {
		return nil, fault.New(fault.RequestInvalid, "%s has %d × %d pixels, supported 1 to %d a side", name, c.Width, c.Height, recipe.MaxReference)
	}
	img, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, refuse(err)
	}
	b := img.Bounds()
	pixels := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	paint.Draw(pixels, pixels.Rect, img, b.Min, paint.Src)
	return &recipe.Reference{Width: b.Dx(), Height: b.Dy(), Pixels: pixels.Pix}, nil
}
