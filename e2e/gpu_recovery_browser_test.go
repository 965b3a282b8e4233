package e2e

import (
	"context"
	"errors"
	"math"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"
)

// crash ends the browser's GPU process. It is killed: one that is asked to crash
// (Browser.crashGpuProcess) first spends five seconds with its crash handler.
func (b *tab) crash() {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		all, err := systeminfo.GetProcessInfo().Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Type != "GPU" {
				continue
			}
			gpu, err := os.FindProcess(int(p.ID))
			if err != nil {
				return err
			}
			return gpu.Kill()
		}
		return errors.New("the browser has no GPU process")
	}))
}

// TestBrowserGPUCrash: the GPU process crashes once, and the next
// picture is made; it crashes again, and the page says that the browser's own reload
// button helps, after which everything is there again. (A reload by script does not
// help: Chromium gives the GPU back to the person only.)
func TestBrowserGPUCrash(t *testing.T) {
	b := open(t, smallSite(t).URL, options{webgpu: true})
	b.loadModel()
	b.field("prompt", "a red frog at night")
	b.field("seed", "77")
	b.field("steps", "3")
	b.field("weight", "1.5")
	b.generate()
	before := b.canvas(0)

	b.step("crashed once", func(t *testing.T) {
		b.crash()
		start := time.Now()
		b.generate()
		took := time.Since(start)
		if after := b.canvas(0); after != before {
			t.Errorf("the picture was %v and is %v", before, after)
		}
		if !b.is(noAlert) {
			t.Errorf("it says %q", b.text("#alert"))
		}
		t.Logf("the picture was there %v after the crash", took)
		if took > 10*time.Second {
			t.Errorf("it took %v, 10 s are allowed", took)
		}
	})
	b.step("crashed twice", func(t *testing.T) {
		b.crash()
		start := time.Now()
		b.generate()
		t.Logf("after %v it says %q", time.Since(start), b.text("#alert"))
		if says := b.text("#alert"); !strings.Contains(says, "gpu-gone") || !strings.Contains(says, "own reload button") {
			t.Fatalf("it says %q", says)
		}
		b.eval(`await test.sleep(500)`, nil) // a canvas is drawn again when the browser allows it
		if after := b.canvas(0); after != before {
			t.Errorf("the last picture was %v and is %v", before, after)
		}
		b.field("prompt", "the blue cat at night")
		b.run(page.Reload(), chromedp.Sleep(time.Second))
		b.until(`performance.getEntriesByType("navigation")[0].type === "reload" && ` + usable)
		b.until(`document.querySelector("canvas:not([hidden])")?.width === 16`)
		var form struct{ Prompt, Seed, Steps, Weight string }
		b.eval(`const { value } = test.form; return { prompt: value("prompt"), seed: value("seed"), steps: value("steps"), weight: value("weight") }`, &form)
		if form.Prompt != "the blue cat at night" || form.Seed != "77" || form.Steps != "3" || form.Weight != "1.5" {
			t.Errorf("after the reload the form says %+v", form)
		}
		if after := b.canvas(0); after != before {
			t.Errorf("after the reload the picture is %v, it was %v", after, before)
		}
		b.run(chromedp.Click("#load", chromedp.ByQuery))
		b.until(idle)
		b.field("prompt", "a red frog at night")
		b.generate()
		if after := b.canvas(0); after != before {
			t.Errorf("made anew, the picture is %v, it was %v: %s", after, before, b.text("#alert"))
		}
	})
}

// TestBrowserGPUStops stops fifty pictures.
func TestBrowserGPUStops(t *testing.T) {
	b := faultyGPU(t, smallSite(t))
	b.call("gpu.loadAndGenerateLonger", nil)
	var r struct {
		Ms    []float64
		Late  int
		Whole bool
	}
	b.call("gpu.stop", &r, 50)
	sort.Float64s(r.Ms)
	if len(r.Ms) < 50 || r.Late != 0 || !r.Whole {
		t.Fatalf("%d stops, %d submits after them, the same picture then: %v", len(r.Ms), r.Late, r.Whole)
	}
	t.Logf("idle after %.0f ms (median), %.0f ms (most)", r.Ms[25], r.Ms[len(r.Ms)-1])
	if most := r.Ms[len(r.Ms)-1]; most > 500 {
		t.Errorf("it took %.0f ms to stop, 500 are allowed", most)
	}
	b.leavesNoBuffer(t)
}

// TestBrowserGPUManyPictures makes a hundred pictures, and one in a page that is hidden.
// Meanwhile another page is frozen for a minute in the middle of a picture: it is still
// made, and the same.
func TestBrowserGPUManyPictures(t *testing.T) {
	t.Parallel()
	const frozen = time.Minute
	ice := faultyGPU(t, smallSite(t))
	ice.call("gpu.loadAndGenerateLonger", nil)
	ice.call("gpu.beginLonger", nil)
	ice.run(page.SetWebLifecycleState(page.SetWebLifecycleStateStateFrozen))
	since := time.Now()

	b := faultyGPU(t, smallSite(t))
	b.call("gpu.loadAndGenerateLonger", nil)
	b.step("a hundred", func(t *testing.T) {
		var r struct{ Before, After gpuState }
		b.call("gpu.many", &r, 100)
		if r.After.Alive != r.Before.Alive || r.After.Bytes != r.Before.Bytes {
			t.Errorf("%d buffers of %.0f bytes became %d of %.0f", r.Before.Alive, r.Before.Bytes, r.After.Alive, r.After.Bytes)
		}
		const grain = 256 << 10 // by which Go asks for memory
		if most := math.Ceil(1.02*r.Before.Memory/grain) * grain; r.After.Memory > most {
			t.Errorf("the engine's memory was %.0f bytes and is %.0f", r.Before.Memory, r.After.Memory)
		}
		t.Logf("%d buffers of %.1f MB; the engine's memory %.1f MB, after 100 pictures %.1f MB", r.After.Alive, r.After.Bytes/1e6, r.Before.Memory/1e6, r.After.Memory/1e6)
	})
	b.step("hidden", func(t *testing.T) {
		other, cancel := chromedp.NewContext(b.ctx)
		defer cancel()
		b.call("gpu.beginLonger", nil)
		if err := chromedp.Run(other, chromedp.Navigate("about:blank"), page.BringToFront()); err != nil {
			t.Fatal(err)
		}
		var r struct {
			Seen string
			Same bool
		}
		b.call("gpu.endLonger", &r)
		if r.Seen != "hidden" || !r.Same {
			t.Errorf("behind another tab the page is %s, it made the same picture: %v", r.Seen, r.Same)
		}
	})
	b.leavesNoBuffer(t)

	ice.step("frozen", func(t *testing.T) {
		time.Sleep(frozen - time.Since(since))
		ice.run(page.SetWebLifecycleState(page.SetWebLifecycleStateStateActive))
		var r struct {
			Ms   float64
			Same bool
		}
		ice.call("gpu.endLonger", &r)
		if !r.Same || r.Ms < float64(frozen.Milliseconds()) {
			t.Errorf("the picture took %.0f ms, frozen for %v; it is the same: %v", r.Ms, frozen, r.Same)
		}
		ice.quiet(t)
	})
}

// leavesNoBuffer closes the model: nothing is left, and nothing was wrong.
func (b *tab) leavesNoBuffer(t *testing.T) {
	t.Helper()
	var end gpuState
	if b.call("gpu.close", &end); end.Alive != 0 || end.Uncaptured != 0 {
		t.Errorf("at the end there are %d buffers, %d errors were not caught", end.Alive, end.Uncaptured)
	}
	b.quiet(t)
}

// TestBrowserGPUFloor: on a device without any limit or feature beyond
// WebGPU's own, the shipped model makes a full picture, and no buffer is over
// 128 MiB.
func TestBrowserGPUFloor(t *testing.T) {
	t.Parallel()
	b := faultyGPU(t, serve(t))
	var r struct {
		Picture  made
		Features []string
		State    gpuState
	}
	b.call("gpu.generatePortable", &r)
	if r.Picture.Colours < 100 || len(r.Features) != 0 || r.State.Largest > 128<<20 || r.State.Uncaptured != 0 {
		t.Errorf("%+v", r)
	}
	t.Logf("%d buffers of %.1f MB, the largest %.1f MB; %.0f ms", r.State.Alive, r.State.Bytes/1e6, r.State.Largest/1e6, r.Picture.Timings.TotalMs)
	b.quiet(t)
}

// TestBrowserGPUTasks: while pictures are made, some of them after a moving slider, the
// page's own thread is never busy for long.
func TestBrowserGPUTasks(t *testing.T) {
	b := open(t, smallSite(t).URL, options{webgpu: true})
	b.loadModel()
	b.field("steps", "12")
	b.generate()
	b.unfold()
	b.click(`[name="live"][value="always"]`)
	b.call("controls.record", nil)
	b.call("tasks.watch", nil)
	for range 4 {
		b.generate()
	}
	if n := b.follow(sweep); n < 2 || b.last().Guidance[0].Weight != 1.5 {
		t.Errorf("%d pictures followed a moving slider, the last of %+v", n, b.last().Guidance)
	}
	var r struct{ Tasks, Gaps []float64 }
	b.call("tasks.seen", &r)
	sort.Float64s(r.Tasks)
	sort.Float64s(r.Gaps)
	most := 0.0
	if n := len(r.Tasks); n > 0 {
		most = r.Tasks[n-1]
	}
	t.Logf("%d tasks over 50 ms, the longest %.0f ms; a message waited %.1f ms (p99 of %d)", len(r.Tasks), most, r.Gaps[len(r.Gaps)*99/100], len(r.Gaps))
	if most > 200 {
		t.Errorf("a task took %.0f ms, 200 are allowed", most)
	}
	b.silent(t)
}
