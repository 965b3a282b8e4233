package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall/js"
	"time"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/weights"
	"undertone/wasm/protocol"
)

// request is a message that takes time: they are served one after the other.
type request struct {
	ctx  context.Context
	kind protocol.Type
	id   int
	body js.Value
	// blobs are the published files that came with it, folder is where a model is saved,
	// pixels are those of a picture.
	blobs, folder, pixels js.Value
}

// worker is the receiving end of the messages.
type worker struct {
	session session
	queue   chan request
	cancel  map[int]context.CancelCauseFunc // of waiting and running requests
	rest    context.CancelFunc              // ends what is done between requests
	kept    uint64                          // bytes of Go's that were in use after the last collectGarbage
}

// errStopped is why a person's abort ends a request.
var errStopped = fault.New(fault.Aborted, "stopped")

// main serves messages until the window sends close.
func main() {
	w := &worker{queue: make(chan request, 64), cancel: map[int]context.CancelCauseFunc{}}
	done := make(chan struct{})
	self := js.Global()
	onMessage := js.FuncOf(func(_ js.Value, args []js.Value) any {
		w.receive(args[0].Get("data"))
		return nil
	})
	self.Set("onmessage", onMessage)
	go func() {
		defer close(done)
		var idle <-chan time.Time
		for {
			select {
			case r, open := <-w.queue:
				if !open {
					return
				}
				w.serve(r)
				idle = nil
				if r.kind == protocol.Generate && w.session.tuningDue() {
					idle = time.After(tuneIdle)
				}
			case <-idle:
				idle = nil
				w.search()
			}
			w.session.releaseBuffers()
			w.collectGarbage()
		}
	}()
	post(protocol.Ready, 1, nil, js.Undefined()) // init is always the first request
	<-done
	w.session.close()
	self.Call("close")
}

// search measures kernels until a request comes.
func (w *worker) search() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w.rest = cancel
	if len(w.queue) == 0 {
		_ = protected(func() error { // what goes wrong is in its state, and costs nobody anything
			w.session.search(ctx, func(b protocol.TuningBody) { post(protocol.Tuned, 0, b, js.Undefined()) })
			return nil
		})
	}
	w.rest = nil
}

// uncollected is how much of Go's memory requests may leave behind.
const uncollected = 1 << 20

// collectGarbage collects what requests left behind, between two of them. By itself Go would
// wait for 4 MiB: it cannot know that its references keep objects of the browser,
// and that its own memory never shrinks again.
func (w *worker) collectGarbage() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc < w.kept+uncollected {
		return
	}
	runtime.GC()
	runtime.ReadMemStats(&m)
	w.kept = m.HeapAlloc
}

// receive runs inside the browser's callback, so it only notes what to do. What is
// not a message of the protocol is passed over: extensions send messages, too.
func (w *worker) receive(m js.Value) {
	if m.Type() != js.TypeObject || m.Get("type").Type() != js.TypeString || m.Get("id").Type() != js.TypeNumber {
		return
	}
	kind, id := protocol.Type(m.Get("type").String()), m.Get("id").Int()
	switch kind {
	case protocol.Abort:
		if cancel, ok := w.cancel[id]; ok {
			cancel(errStopped)
		}
	case protocol.Close:
		for _, cancel := range w.cancel {
			cancel(errStopped)
		}
		w.interrupt()
		close(w.queue)
		js.Global().Set("onmessage", js.Null())
	case protocol.Load, protocol.Describe, protocol.Save, protocol.Generate, protocol.Judge, protocol.Encode:
		if _, twice := w.cancel[id]; twice {
			return
		}
		w.interrupt()
		ctx, cancel := context.WithCancelCause(context.Background())
		w.cancel[id] = cancel
		select {
		case w.queue <- request{ctx, kind, id, m.Get("body"), m.Get("files"), m.Get("folder"), m.Get("pixels")}:
		default: // waiting for room here would stop every message
			cancel(nil)
			delete(w.cancel, id)
			post(protocol.Error, id, protocol.ErrorOf(fault.New(fault.Busy, "%d requests wait already", len(w.queue))), js.Undefined())
		}
	}
}

// interrupt ends what is done between requests.
func (w *worker) interrupt() {
	if w.rest != nil {
		w.rest()
	}
}

// serve answers one request; whatever goes wrong in it ends it, not the worker.
func (w *worker) serve(r request) {
	defer func() {
		w.cancel[r.id](nil)
		delete(w.cancel, r.id)
	}()
	err := protected(func() error {
		switch r.kind {
		case protocol.Load:
			return w.load(r)
		case protocol.Describe:
			return describe(r)
		case protocol.Save:
			return w.save(r)
		case protocol.Judge:
			return w.judge(r)
		case protocol.Encode:
			return w.encode(r)
		default:
			return w.generate(r)
		}
	})
	if err == nil {
		return
	}
	if r.ctx.Err() != nil {
		err = errStopped
	}
	post(protocol.Error, r.id, protocol.ErrorOf(err), js.Undefined())
}

// protected makes a fault of what would end the worker.
func protected(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			js.Global().Get("console").Call("error", fmt.Sprintf("%v\n%s", p, debug.Stack()))
			err = fault.New(fault.Internal, "the engine met a bug: %v", p)
		}
	}()
	return work()
}

func (w *worker) load(r request) error {
	var body protocol.LoadBody
	if err := decode(r.body, &body); err != nil {
		return err
	}
	err := w.session.load(r.ctx, body, r.files(), func(p protocol.ProgressBody) {
		post(protocol.Progress, r.id, p, js.Undefined())
	})
	if err != nil {
		return err
	}
	post(protocol.Loaded, r.id, w.session.loaded(), js.Undefined())
	return nil
}

// files are the Blobs that came with a request.
func (r request) files() (blobs []js.Value) {
	if !r.blobs.Truthy() {
		return nil
	}
	for i := range r.blobs.Length() {
		blobs = append(blobs, r.blobs.Index(i))
	}
	return blobs
}

// describe says what a model offers and takes, of its model.json or of the headers of
// published files alone.
func describe(r request) error {
	var body protocol.DescribeBody
	if err := decode(r.body, &body); err != nil {
		return err
	}
	var answer protocol.DescribedBody
	var err error
	if body.Published() {
		answer, err = describePublished(r.ctx, body.Source, r.files())
	} else {
		answer, err = describeManifest(r.ctx, body, r.files())
	}
	if err != nil {
		return err
	}
	post(protocol.Described, r.id, answer, js.Undefined())
	return nil
}

func describeManifest(ctx context.Context, body protocol.DescribeBody, blobs []js.Value) (answer protocol.DescribedBody, err error) {
	text, err := fetchText(ctx, body.Address, revalidated)
	var again *retryable
	if errors.As(err, &again) {
		return answer, again.fault
	}
	if err != nil {
		return answer, err
	}
	m, err := weights.ParseManifest(text)
	if err == nil && body.Adapter != nil {
		answer.Found, m, err = describeAdapted(ctx, m, *body.Adapter, blobs)
	}
	if err != nil {
		return answer, err
	}
	d, err := engine.Describe(m)
	answer.Description = &d
	return answer, err
}

// generate makes a picture. If the GPU is lost on the way, the picture is begun
// again, from step 1, on a new device; once, as it may be what costs the device.
func (w *worker) generate(r request) error {
	err := w.attempt(r, 0)
	if fault.Is(err, fault.DeviceLost) && r.ctx.Err() == nil {
		err = w.attempt(r, 1)
	}
	return err
}

// attempt makes a picture for which the device was opened again so many times.
func (w *worker) attempt(r request, recovered int) error {
	reopened, err := w.session.ready(r.ctx)
	if err != nil {
		return err
	}
	body := w.session.engine.Defaults()
	if r.pixels.Truthy() {
		body.Steps = w.session.engine.EditSteps()
	}
	if err := decode(r.body, &body); err != nil {
		return err
	}
	if reopened {
		recovered = 1
		post(protocol.Loaded, r.id, w.session.loaded(), js.Undefined())
	}
	if body.Reference != nil {
		body.Reference.Pixels = r.pixelBytes()
		w.reportArrivals(r) // of the encoder
	}
	onStep := func(e engine.StepEvent) {
		step := protocol.StepBody{Step: e.Step, Steps: e.Steps}
		pixels := js.Undefined()
		if e.Preview != nil {
			step.Width, step.Height, pixels = e.Preview.W, e.Preview.H, buffer(e.Preview.RGBA)
		}
		post(protocol.Step, r.id, step, pixels)
	}
	if !body.Preview { // the page has no listener either
		onStep = nil
	}
	result, err := w.session.engine.Generate(r.ctx, body, onStep)
	if err != nil {
		return err
	}
	image := result.Image
	arrays := seen(result.Probe)
	arrays["pixels"] = buffer(image.RGBA)
	answer := protocol.ResultBody{Width: image.W, Height: image.H, Recovered: recovered, Result: result}
	if result.Probe != nil {
		answer.LatentWidth = result.Probe.Latents[0].W
	}
	send(protocol.Result, r.id, answer, arrays)
	return nil
}

// decode reads a body; what it does not know is refused, since it would be a
// setting that has no effect.
func decode(body js.Value, into any) error {
	if body.Type() != js.TypeString {
		return fault.New(fault.RequestInvalid, "the request has no text")
	}
	text := body.String()
	if len(text) > protocol.MaxBody {
		return fault.New(fault.RequestInvalid, "the request has %d bytes, %d are allowed", len(text), protocol.MaxBody)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.Wrap(err, fault.RequestInvalid, "the request cannot be read")
	}
	return nil
}

// buffer copies bytes into a fresh Uint8Array.
func buffer(b []byte) js.Value {
	a := newBytes(int64(len(b)))
	js.CopyBytesToJS(a, b)
	return a
}

// seen is what a probe has beside its JSON, see protocol.ResultBody.
func seen(p *engine.Probe) map[string]js.Value {
	arrays := map[string]js.Value{}
	if p == nil {
		return arrays
	}
	arrays["attention"] = floats(p.Attention)
	var latents []byte
	for _, img := range p.Latents {
		latents = append(latents, img.RGBA...)
	}
	arrays["latents"] = buffer(latents)
	return arrays
}

// post sends a message to the window; pixels (a Uint8Array) are transferred.
func post(kind protocol.Type, id int, body any, pixels js.Value) {
	arrays := map[string]js.Value{}
	if !pixels.IsUndefined() {
		arrays["pixels"] = pixels
	}
	send(kind, id, body, arrays)
}

// send is post with any number of Uint8Arrays.
func send(kind protocol.Type, id int, body any, arrays map[string]js.Value) {
	m := map[string]any{"v": protocol.Version, "type": string(kind), "id": id}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			panic(err) // a type of package protocol that JSON cannot hold: a bug
		}
		m["body"] = string(text)
	}
	var transfer []any
	for name, a := range arrays {
		m[name] = a.Get("buffer")
		transfer = append(transfer, m[name])
	}
	js.Global().Call("postMessage", m, transfer)
}
