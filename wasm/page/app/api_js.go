package app

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/tinyjson"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// api is the public JavaScript API (web/undertone.js) as the page uses it.
type api struct {
	class  js.Value // Undertone
	loaded js.Value // the instance, undefined before load
	tuned  js.Func  // hears of measurements
}

// load loads a model, and keeps it in this browser if it is to; onProgress is called with
// how far it is.
func (a *api) load(signal js.Value, o Offer, device string, keep, tune bool, onProgress func(Progress)) (Loaded, error) {
	a.close()
	measure := js.Undefined() // as the engine thinks
	if !tune {
		measure = js.ValueOf(false)
	}
	listener := progressListener(onProgress)
	defer listener.Release()
	u, err := promise.Of(a.class.Call("load", o.source(), o.options(
		"device", device, "store", keep, "tune", measure, "onTuning", a.tuned, "signal", signal, "onProgress", listener,
	)))
	if err != nil {
		return Loaded{}, err
	}
	a.loaded = u
	return a.info(), nil
}

// save writes the loaded model into a folder, and tells how many bytes that are.
func (a *api) save(signal js.Value, folder js.Value, onProgress func(Progress)) (bytes int64, err error) {
	listener := progressListener(onProgress)
	defer listener.Release()
	v, err := promise.Of(a.loaded.Call("save", folder, Object("signal", signal, "onProgress", listener)))
	if err != nil {
		return 0, err
	}
	return int64(v.Get("bytes").Float()), nil
}

// progressListener is onProgress as the API calls it.
func progressListener(onProgress func(Progress)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		p := args[0]
		number := func(name string) int64 {
			if v := p.Get(name); v.Type() == js.TypeNumber {
				return int64(v.Float())
			}
			return 0
		}
		now := Progress{Stage: p.Get("stage").String(), Done: number("done"), Total: number("total"), Stored: number("stored"), Retry: int(number("retry"))}
		if v := p.Get("wait"); v.Type() == js.TypeString {
			now.Wait = v.String()
		}
		onProgress(now)
		return nil
	})
}

// Call asks a static function of the API, and waits for its answer.
func (a *App) Call(name string, arguments ...any) (js.Value, error) {
	return promise.Of(a.api.class.Call(name, arguments...))
}

// info reads what was loaded.
func (a *api) info() Loaded {
	i := a.loaded.Get("info")
	known := map[string]bool{}
	for list, n := i.Get("words"), 0; n < list.Length(); n++ {
		known[list.Index(n).String()] = true
	}
	problem := ""
	if storage := i.Get("storage"); storage.Truthy() && storage.Get("fault").Truthy() {
		problem = storage.Get("fault").Get("code").String()
	}
	address := ""
	if v := i.Get("address"); v.Type() == js.TypeString {
		address = v.String()
	}
	choice := ""
	if v := i.Get("choice"); v.Truthy() {
		choice = v.Get("reason").String()
	}
	return Loaded{
		Words: known, Storage: problem, Address: address, Choice: choice,
		Backend: i.Get("backend").String(), Adapter: strings.Trim(i.Get("adapter").String(), "()"),
		Tuning: tuningOf(i.Get("tuning")), Software: i.Get("software").Bool(), Precision: i.Get("precision").String(), Plan: i.Get("plan").String(),
	}
}

// tuningOf reads what the API says of the measurements, if it says anything.
func tuningOf(v js.Value) (t Tuning) {
	if !v.Truthy() {
		return t
	}
	t = Tuning{State: v.Get("state").String(), Used: v.Get("used").Bool(), Shapes: v.Get("shapes").Int(), Ms: v.Get("ms").Float()}
	for list, n := v.Get("trials"), 0; n < list.Length(); n++ {
		what, taken := list.Index(n).Get("shape").String(), list.Index(n).Get("taken").String()
		if taken != "usual" {
			t.Faster++
			what += ": " + taken
		}
		t.Measured = append(t.Measured, what)
	}
	return t
}

// generate makes a picture. onStep, if not nil, is called after every step with
// an ImageData or undefined. more are further fields of the API's request.
func (a *api) generate(signal js.Value, r Recipe, more map[string]any, onStep func(step, steps int, preview js.Value)) (*Picture, error) {
	request := r.Value()
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
	request["signal"] = signal
	result, err := promise.Of(a.loaded.Call("generate", request))
	if err != nil {
		return nil, err
	}
	p := &Picture{Recipe: r, Image: result.Get("image"), Result: result}
	if err := Decode(result.Get("timings"), &p.Timings); err != nil {
		return nil, err
	}
	if r.Reference != nil {
		if sum := result.Get("parameters").Get("reference").Get("sha256").String(); sum != r.Reference.SHA256 {
			if r.Reference.SHA256 != "" {
				p.Notices = append(p.Notices, words.Text.ReferenceOther)
			}
			r.Reference.SHA256 = sum
		}
	}
	if list := result.Get("geometry"); list.Truthy() {
		if err := Decode(list, &p.Geometry); err != nil {
			return nil, err
		}
	}
	if result.Get("recovered").Truthy() {
		p.Notices = append(p.Notices, words.Text.Recovered)
	}
	if notices := result.Get("notices"); notices.Truthy() {
		for i := range notices.Length() {
			// Of words that a prompt and a direction share, it tells twice.
			if text := noticeText(notices.Index(i).String()); !slices.Contains(p.Notices, text) {
				p.Notices = append(p.Notices, text)
			}
		}
	}
	return p, nil
}

// Decode reads a plain value of JavaScript.
func Decode(v js.Value, into any) error {
	return tinyjson.Unmarshal([]byte(js.Global().Get("JSON").Call("stringify", v).String()), into)
}

func (a *api) close() {
	if a.loaded.Truthy() {
		a.loaded.Call("close")
		a.loaded = js.Undefined()
	}
}

// AbortSignal ends what it is given to when abort is called. (It stands in the place of a
// context.Context, with which comes all that prints times.)
func AbortSignal() (signal js.Value, abort func()) {
	c := js.Global().Get("AbortController").New()
	return c.Get("signal"), func() { c.Call("abort") }
}

// Aborted reports whether abort was called.
func Aborted(signal js.Value) bool { return signal.Get("aborted").Bool() }

// ProblemOf reads the code, sentence and advice of an error of the API, or of a fault
// met in the page itself. An abort is no problem.
func ProblemOf(err error) *Problem {
	var here FileError
	if errors.As(err, &here) {
		return &Problem{Code: string(fault.PictureInvalid), Message: here.Error(), Advice: words.Text.DropAdvice, Translated: true}
	}
	var ours *fault.Error
	if errors.As(err, &ours) {
		return &Problem{Code: string(ours.Code), Message: ours.Error(), Advice: ours.Advice}
	}
	var thrown js.Error
	if !errors.As(err, &thrown) {
		return &Problem{Code: string(fault.Internal), Message: err.Error(), Advice: fault.Advice(fault.Internal)}
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
	p := &Problem{Code: field("code"), Message: field("message"), Advice: field("advice")}
	if p.Code == "" {
		p.Code, p.Advice = string(fault.Internal), fault.Advice(fault.Internal)
	}
	return p
}
