package page

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"syscall/js"

	"undertone/engine/fault"
	carried "undertone/engine/recipe"
	"undertone/wasm/promise"
)

// api is the public JavaScript API (web/undertone.js) as the page uses it.
type api struct {
	class  js.Value // Undertone
	loaded js.Value // the instance, undefined before load
}

// load loads a model; onProgress is called with how far it is.
func (a *api) load(ctx context.Context, address, device string, onProgress func(progress)) (info, error) {
	a.close()
	listener := js.FuncOf(func(_ js.Value, args []js.Value) any {
		p := args[0]
		number := func(name string) int64 {
			if v := p.Get(name); v.Type() == js.TypeNumber {
				return int64(v.Float())
			}
			return 0
		}
		now := progress{stage: p.Get("stage").String(), done: number("done"), total: number("total"), stored: number("stored"), retry: int(number("retry"))}
		if v := p.Get("wait"); v.Type() == js.TypeString {
			now.wait = v.String()
		}
		onProgress(now)
		return nil
	})
	defer listener.Release()
	signal, stop := abortSignal(ctx)
	defer stop()
	// The promise is awaited without ctx: an abort settles it by itself.
	u, err := promise.Await(context.Background(), a.class.Call("load", address, map[string]any{
		"device": device, "store": true, "signal": signal, "onProgress": listener,
	}))
	if err != nil {
		return info{}, err
	}
	a.loaded = u
	return a.info(), nil
}

// describe asks the engine what a model offers.
func (a *api) describe(address string) (*model, error) {
	v, err := promise.Await(context.Background(), a.class.Call("describe", address))
	if err != nil {
		if p := problemOf(err); p != nil {
			err = errors.New(p.message)
		}
		return nil, err
	}
	var d carried.Description
	if err := decode(v, &d); err != nil {
		return nil, err
	}
	return newModel(d)
}

func (a *api) info() info {
	i := a.loaded.Get("info")
	words := map[string]bool{}
	for list, n := i.Get("words"), 0; n < list.Length(); n++ {
		words[list.Index(n).String()] = true
	}
	problem := ""
	if storage := i.Get("storage"); storage.Truthy() && storage.Get("fault").Truthy() {
		problem = storage.Get("fault").Get("code").String()
	}
	return info{
		words: words, Storage: problem,
		Backend: i.Get("backend").String(), Adapter: strings.Trim(i.Get("adapter").String(), "()"),
		Software: i.Get("software").Bool(), Precision: i.Get("precision").String(), Plan: i.Get("plan").String(),
	}
}

// generate makes a picture. onStep, if not nil, is called after every step with
// an ImageData or undefined. more are further fields of the API's request.
func (a *api) generate(ctx context.Context, r recipe, more map[string]any, onStep func(step, steps int, preview js.Value)) (*picture, error) {
	request := r.request()
	maps.Copy(request, more)
	if onStep != nil {
		listener := js.FuncOf(func(_ js.Value, args []js.Value) any {
			e := args[0]
			onStep(e.Get("step").Int(), e.Get("steps").Int(), e.Get("preview"))
			return nil
		})
		defer listener.Release()
		request["onStep"] = listener
	}
	signal, stop := abortSignal(ctx)
	defer stop()
	request["signal"] = signal
	result, err := promise.Await(context.Background(), a.loaded.Call("generate", request))
	if err != nil {
		return nil, err
	}
	p := &picture{recipe: r, image: result.Get("image"), result: result}
	if err := decode(result.Get("timings"), &p.timings); err != nil {
		return nil, err
	}
	if list := result.Get("geometry"); list.Truthy() {
		if err := decode(list, &p.geometry); err != nil {
			return nil, err
		}
	}
	if result.Get("recovered").Truthy() {
		p.notices = append(p.notices, say.Recovered)
	}
	if notices := result.Get("notices"); notices.Truthy() {
		for i := range notices.Length() {
			p.notices = append(p.notices, notices.Index(i).String())
		}
	}
	return p, nil
}

// decode reads a plain value of JavaScript.
func decode(v js.Value, into any) error {
	return json.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", v).String()), into)
}

func (a *api) close() {
	if a.loaded.Truthy() {
		a.loaded.Call("close")
		a.loaded = js.Undefined()
	}
}

// abortSignal is ctx as JavaScript knows it.
func abortSignal(ctx context.Context) (signal js.Value, stop func() bool) {
	c := js.Global().Get("AbortController").New()
	return c.Get("signal"), context.AfterFunc(ctx, func() { c.Call("abort") })
}

// problemOf reads the code, sentence and advice of an error of the API, or of a fault
// met in the page itself. An abort is no problem.
func problemOf(err error) *problem {
	var here readable
	if errors.As(err, &here) {
		return &problem{code: string(fault.PictureInvalid), message: here.Error(), advice: say.DropAdvice, spoken: true}
	}
	var ours *fault.Error
	if errors.As(err, &ours) {
		return &problem{code: string(ours.Code), message: ours.Error(), advice: ours.Advice}
	}
	var thrown js.Error
	if !errors.As(err, &thrown) {
		return &problem{code: string(fault.Internal), message: err.Error(), advice: fault.Advice(fault.Internal)}
	}
	field := func(name string) string {
		if v := thrown.Value.Get(name); v.Type() == js.TypeString {
			return v.String()
		}
		return ""
	}
	if field("name") == "AbortError" {
		return nil
	}
	p := &problem{code: field("code"), message: field("message"), advice: field("advice")}
	if p.code == "" {
		p.code, p.advice = string(fault.Internal), fault.Advice(fault.Internal)
	}
	return p
}
