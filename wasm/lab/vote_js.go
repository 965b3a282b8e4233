package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// ballot shows two pictures side by side and waits for what somebody says.
type ballot struct {
	box, prompt ui.Element
	pictures    [2]ui.Element
	choices     [3]ui.Element // the first, the second, no difference
	said        chan int
}

func newBallot() *ballot {
	b := &ballot{said: make(chan int, 1)}
	b.prompt = ui.El("p", ui.Attrs{{"class", "strong"}, {"id", "ballot-prompt"}})
	pair := ui.El("div", ui.Attrs{{"class", "pair"}})
	for i, name := range []*string{&words.Text.First, &words.Text.Second} {
		b.pictures[i] = ui.El("canvas", ui.Attrs{{"role", "img"}, {"aria-label", name}})
		ui.Append(pair, b.pictures[i])
	}
	row := ui.El("div", ui.Attrs{{"class", "exports"}})
	for i, name := range []*string{&words.Text.First, &words.Text.Second, &words.Text.Same} {
		b.choices[i] = ui.Button("secondary", name, func() {
			select {
			case b.said <- i:
			default: // nothing is asked
			}
		})
		ui.Append(row, b.choices[i])
	}
	b.box = ui.El("div", ui.Attrs{{"class", "card ballot"}, {"id", "ballot"}}, b.prompt, pair, row)
	ui.Show(b.box, false)
	return b
}

// ask shows a pair, which of them stands first being left to chance, and returns 1 where
// made is preferred, −1 where base is, 0 where neither.
func (b *ballot) ask(ctx context.Context, prompt string, made, base *recipe.Image) (float64, error) {
	order := [2]*recipe.Image{made, base}
	signs := [3]float64{1, -1, 0}
	if rand.IntN(2) == 1 {
		order[0], order[1], signs[0], signs[1] = base, made, -1, 1
	}
	for i, p := range order {
		paint(b.pictures[i], p)
	}
	ui.SetText(b.prompt, fmt.Sprintf(words.Text.Which, prompt))
	select {
	case <-b.said: // pressed before the pair was there
	default:
	}
	ui.Show(b.box, true)
	defer ui.Show(b.box, false)
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case choice := <-b.said:
		return signs[choice], nil
	}
}

func paint(canvas ui.Element, p *recipe.Image) {
	canvas.Set("width", p.W)
	canvas.Set("height", p.H)
	image := js.Global().Get("ImageData").New(p.W, p.H)
	js.CopyBytesToJS(image.Get("data"), p.RGBA)
	canvas.Call("getContext", "2d").Call("putImageData", image, 0, 0)
}

// me names this device in files of votes: a number without a meaning.
func (l *laboratory) me(ctx context.Context) string {
	const key = "voter"
	kept, err := promise.Await(ctx, l.parts.Get("experiments").Call("recall", key))
	if err == nil && kept.Type() == js.TypeString {
		return kept.String()
	}
	id := fmt.Sprintf("%016x", rand.Uint64())
	_, _ = promise.Await(ctx, l.parts.Get("experiments").Call("remember", key, id)) // else another one next time
	return id
}

// merging takes a file of other people's votes.
func (v *view) merging() ui.Element {
	field := ui.El("input", ui.Attrs{{"type", "file"}, {"accept", ".json,application/json"}})
	ui.On(field, "change", func(ui.Event) {
		files := field.Get("files")
		if files.Length() == 0 {
			return
		}
		go v.merge(files.Index(0))
	})
	return ui.Labelled("merge", &words.Text.Merge, field)
}

func (v *view) merge(file js.Value) {
	body, err := promise.Await(context.Background(), file.Call("text"))
	said := ""
	var other lab.Results
	if err == nil {
		err = json.Unmarshal([]byte(body.String()), &other)
	}
	if err == nil && len(v.results.Rows) == 0 {
		v.results.Precision = other.Precision
	}
	n := 0
	if err == nil {
		n, err = v.results.Merge(&other)
	}
	if said = fmt.Sprintf(words.Text.Merged, n); err != nil {
		said = message(err)
	} else {
		v.keep()
		v.draw()
	}
	ui.SetText(v.said, said)
	ui.SetText(ui.ByID("live"), said)
}
