package main

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall/js"
	"time"

	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// How often the answer is drawn, and the results are kept, while it runs.
const drawEvery, keepEvery = 2 * time.Second, time.Second

// recall shows what is kept of the experiment that the address names. Nothing runs by itself.
func (v *view) recall(ctx context.Context) {
	setting, err := v.l.asked.Setting(v.l.about, v.l.about.Request())
	v.results = lab.NewResults(v.e, setting, "")
	if err != nil { // an address of another model; what is wrong is said when it runs
		v.tell()
		return
	}
	v.key = v.keyOf(setting)
	v.restore(ctx, setting)
}

// keyOf is what results are kept under: everything that they depend on, but for the
// precision, which is known once the model is loaded.
func (v *view) keyOf(s lab.Setting) string {
	text, err := json.Marshal(lab.NewResults(v.e, s, fmt.Sprint(v.l.about.Bits)))
	if err != nil {
		panic(err) // as in the file that is saved
	}
	return string(text)
}

// restore takes over the rows that are kept.
func (v *view) restore(ctx context.Context, s lab.Setting) {
	kept, err := promise.Await(ctx, v.l.parts.Get("experiments").Call("recall", v.key))
	if err != nil || kept.Type() != js.TypeString {
		v.tell()
		return
	}
	var old lab.Results
	if json.Unmarshal([]byte(kept.String()), &old) != nil {
		return
	}
	v.results = &old
	if trials, err := lab.Left(v.e, s, old.Rows, v.l.me(ctx)); err == nil {
		v.left = len(trials)
	}
	v.draw()
	v.tell()
}

// tell says how far it is, and offers what can be done.
func (v *view) tell() {
	rows := len(v.results.Rows)
	running := v.l.stop != nil && v.l.view == v
	ui.Show(v.run, !running && !(rows > 0 && v.left == 0))
	ui.Show(v.pause, running)
	ui.Show(v.again, !running && rows > 0)
	ui.Show(v.progress, running)
	label := words.Text.Run
	if rows > 0 {
		label = words.Text.Resume
	}
	ui.SetText(v.run, label)
	said := ""
	switch {
	case running:
	case rows > 0 && v.left == 0:
		said = fmt.Sprintf(words.Text.Done, rows)
	case rows > 0:
		said = fmt.Sprintf(words.Text.Stopped, rows, rows+v.left)
	}
	if said != "" || !running {
		ui.SetText(v.said, said)
	}
}

// start runs what the form asks, from the beginning or from where it was.
func (v *view) start(anew bool) {
	if v.l.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	v.l.stop = stop
	err := v.work(ctx, anew)
	stopped := ctx.Err() != nil
	stop()
	v.l.stop = nil
	if v.l.view != v {
		return // another question was chosen meanwhile
	}
	v.tell()
	if err != nil && !stopped {
		ui.SetText(v.said, message(err))
	}
	ui.SetText(ui.ByID("live"), v.said.TextContent())
}

// message is what an error says to people.
func message(err error) string {
	if thrown, ok := err.(js.Error); ok {
		said := thrown.Get("message").String()
		if advice := thrown.Get("advice"); advice.Type() == js.TypeString {
			said += " " + advice.String()
		}
		return said
	}
	return err.Error()
}

func (v *view) work(ctx context.Context, anew bool) error {
	asked := v.read()
	setting, err := asked.Setting(v.l.about, v.l.about.Request())
	if err != nil {
		return err
	}
	if _, err := lab.Left(v.e, setting, nil, ""); err != nil {
		return err // a question without a direction
	}
	v.l.asked = asked
	js.Global().Get("history").Call("replaceState", js.Null(), "", "#"+asked.Query())
	ui.SetText(v.said, words.Text.Loading)
	v.progress.RemoveAttribute("value")
	v.results = lab.NewResults(v.e, setting, "")
	v.key = v.keyOf(setting)
	if anew {
		if _, err := promise.Await(ctx, v.l.parts.Get("experiments").Call("forget", v.key)); err != nil {
			return err
		}
	} else {
		v.restore(ctx, setting)
	}
	v.tell()
	if err := v.l.load(ctx, v.device.Get("value").String()); err != nil {
		return err
	}
	ui.SetText(v.said, "")
	fresh := lab.NewResults(v.e, setting, v.l.info.Precision)
	if len(v.results.Rows) > 0 {
		if err := fresh.Resume(v.results); err != nil {
			return err
		}
	}
	v.results = fresh
	return v.each(ctx, setting)
}

// each makes the pictures, and keeps and shows what comes.
func (v *view) each(ctx context.Context, setting lab.Setting) error {
	began, before := time.Now(), len(v.results.Rows)
	drawn, kept := began, began
	err := lab.Run(ctx, v.e, setting, v.machine(v.l.me(ctx)), v.results.Rows, func(row lab.Row, left int) error {
		v.results.Add(row, left)
		v.left = left
		rows := len(v.results.Rows)
		v.progress.Set("value", float64(rows)/float64(rows+left))
		said := fmt.Sprintf(words.Text.Pictures, rows, rows+left)
		if done := rows - before; done > 2 && left > 0 {
			said += fmt.Sprintf(words.Text.Left, span(time.Since(began)/time.Duration(done)*time.Duration(left)))
		}
		ui.SetText(v.said, said)
		if time.Since(drawn) > drawEvery {
			v.draw()
			drawn = time.Now()
		}
		if time.Since(kept) > keepEvery {
			v.keep()
			kept = time.Now()
		}
		return ctx.Err()
	})
	v.draw()
	v.keep()
	return err
}

// keep keeps the results on the device.
func (v *view) keep() {
	v.results.Sum()
	text, err := json.Marshal(v.results)
	if err != nil {
		panic(err) // as in the file that is saved
	}
	stored, err := promise.Await(context.Background(), v.l.parts.Get("experiments").Call("remember", v.key, string(text)))
	v.unkept = err != nil || !stored.Truthy()
}

// span is a time as people say it.
func span(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds()))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
