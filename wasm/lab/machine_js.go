package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// machine makes pictures through the API, and asks for votes. It gives way to those that people ask for in
// other pages of the site.
func (v *view) machine(by string) lab.Machine {
	l := v.l
	return lab.Machine{
		Vote: v.ballot.ask, By: by, Show: func(t lab.Trial, made, base *recipe.Image) {
			v.results.Show(t, made, base, encodeJPEG)
		},
		Draw: func(ctx context.Context, r recipe.Request) (*recipe.Result, error) {
			signal, release := signalOf(ctx)
			defer release()
			if _, err := promise.Await(ctx, l.parts.Call("giveWay", signal)); err != nil {
				return nil, err
			}
			if r.Guidance == nil {
				r.Guidance = []recipe.Term{} // an absent list is null in JSON
			}
			text, err := json.Marshal(r)
			if err != nil {
				return nil, err
			}
			request := js.Global().Get("JSON").Call("parse", string(text))
			request.Set("signal", signal)
			made, err := promise.Await(ctx, l.model.Call("generate", request))
			if err != nil {
				return nil, err
			}
			out := &recipe.Result{}
			if err := json.Unmarshal([]byte(l.parts.Call("facts", made).String()), out); err != nil {
				return nil, err
			}
			if p := out.Probe; p != nil { // of which the means over the cells are enough
				p.Rows, p.Cols, p.Attention = 1, 1, floats(l.parts.Call("shares", made))
			}
			image := made.Get("image")
			out.Image = &recipe.Image{W: image.Get("width").Int(), H: image.Get("height").Int()}
			out.Image.RGBA = make([]byte, 4*out.Image.W*out.Image.H)
			js.CopyBytesToGo(out.Image.RGBA, image.Get("data"))
			return out, nil
		},
		Judge: func(ctx context.Context, p *recipe.Image) (recipe.Judgement, error) {
			said, err := l.look(ctx, "judge", p)
			if err != nil {
				return nil, err
			}
			var j recipe.Judgement
			return j, json.Unmarshal([]byte(stringify(said)), &j)
		},
		Encode: func(ctx context.Context, p *recipe.Image) ([]float32, error) {
			latent, err := l.look(ctx, "encode", p)
			if err != nil {
				return nil, err
			}
			return floats(latent), nil
		},
	}
}

// look has the model look at a picture.
func (l *laboratory) look(ctx context.Context, how string, p *recipe.Image) (js.Value, error) {
	image := js.Global().Get("ImageData").New(p.W, p.H)
	js.CopyBytesToJS(image.Get("data"), p.RGBA)
	return promise.Await(ctx, l.model.Call(how, image))
}

// signalOf is an AbortSignal that follows a context, until it is released.
func signalOf(ctx context.Context) (signal js.Value, release func()) {
	controller := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { controller.Call("abort") })
	return controller.Get("signal"), func() { stop() }
}

// floats copies a Float32Array.
func floats(array js.Value) []float32 {
	bytes := make([]byte, 4*array.Get("length").Int())
	js.CopyBytesToGo(bytes, js.Global().Get("Uint8Array").New(array.Get("buffer")))
	list := make([]float32, len(bytes)/4)
	for i := range list {
		list[i] = math.Float32frombits(uint32(bytes[4*i]) | uint32(bytes[4*i+1])<<8 | uint32(bytes[4*i+2])<<16 | uint32(bytes[4*i+3])<<24)
	}
	return list
}

// encodeJPEG writes a picture as a JPEG file.
func encodeJPEG(p *recipe.Image) []byte {
	canvas := ui.El("canvas", nil)
	paint(canvas, p)
	const quality = 0.85
	_, data, _ := strings.Cut(canvas.Call("toDataURL", "image/jpeg", quality).String(), ",")
	file, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		panic(err) // as the platform writes it
	}
	return file
}
