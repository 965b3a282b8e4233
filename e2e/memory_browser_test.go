package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// usage is what a page and the engine's worker have of memory, in bytes.
type usage struct {
	Heap, Buffers, Program float64 // JavaScript's objects, its array buffers, the engine's memory
}

func (u usage) total() float64 { return u.Heap + u.Buffers + u.Program }

// workers are the engine's workers of a browser.
func (b *tab) workers() (ids []target.ID) {
	b.t.Helper()
	var all []*target.Info
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		all, err = target.GetTargets().Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		return err
	}))
	for _, info := range all {
		if info.Type == "worker" && strings.Contains(info.URL, "/worker.") {
			ids = append(ids, info.TargetID)
		}
	}
	return ids
}

// engineWorker attaches to the engine's worker of a tab.
func (b *tab) engineWorker() context.Context {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, id := range b.workers() {
			ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
			b.t.Cleanup(cancel)
			// Attaching, which lasts as long as ctx, also has the browser keep what is fetched, up to
			// 200 MB of it.
			if err := chromedp.Run(ctx, network.Disable()); err != nil {
				b.t.Fatal(err)
			}
			return ctx
		}
		if time.Now().After(end) {
			b.t.Fatal("there is no worker")
		}
	}
}

// used is what a page or worker has of memory.
func used(t *testing.T, target context.Context) (u usage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(target, patience)
	defer cancel()
	err := chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		e := cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Target)
		heap, _, embedder, buffers, err := runtime.GetHeapUsage().Do(e)
		if err != nil {
			return err
		}
		program, thrown, err := runtime.Evaluate(`globalThis.wasm?.instance.exports.mem.buffer.byteLength ?? 0`).Do(e)
		if err == nil && thrown != nil {
			err = thrown
		}
		if err != nil {
			return err
		}
		u.Heap, u.Buffers = heap+embedder, buffers
		return json.Unmarshal(program.Value, &u.Program)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// processes are those of the browser.
func (b *tab) processes() (all []*systeminfo.ProcessInfo) {
	b.t.Helper()
	b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
		all, err = systeminfo.GetProcessInfo().Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		return err
	}))
	return all
}

// private is how many bytes the largest renderer has that no other process has: what usage
// tells, and what the browser holds beyond it. It is 0 on systems without /proc.
func (b *tab) private() (most float64) {
	b.t.Helper()
	for _, p := range b.processes() {
		if p.Type != "renderer" {
			continue
		}
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.ID))
		if err != nil {
			continue // it has ended, or there is no /proc
		}
		_, line, _ := strings.Cut(string(status), "RssAnon:")
		var kib float64
		if _, err := fmt.Sscan(line, &kib); err != nil {
			b.t.Fatalf("no RssAnon in %s: %v", status, err)
		}
		most = max(most, 1024*kib)
	}
	return most
}

// maxUsage is how many bytes a model that is kept may take of a tab, whatever its size.
const maxUsage = 64 << 20

// maxPrivate is how many bytes more the renderer may then have than with an empty page: the
// engine's compiled code, and memory that the allocators keep, come to what a tab takes.
const maxPrivate = 160 << 20

// TestBrowserMemory loads a model of 256 MB, or with UNDERTONE_LONG of 1 GB: its weights
// pass through the tab, and none of them stays, also where the GPU is lost and filled again.
func TestBrowserMemory(t *testing.T) {
	t.Parallel()
	times, bytes := 23, int64(256_000_000)
	if os.Getenv("UNDERTONE_LONG") != "" {
		times, bytes = 46, 1_000_000_000
	}
	s := smallSite(t)
	address, path, size := publishLarge(t, s, times)
	if size < bytes {
		t.Fatalf("the transformer has %d bytes, wanted %d", size, bytes)
	}
	b := openBlank(t, s)
	if u := b.storage(); u.Quota < 2*size {
		t.Skipf("the browser offers %d bytes of storage, the model has %d: free as much on this disk to run this test", u.Quota, size)
	}
	empty, idle := used(t, b.ctx).total(), b.private()
	b.call("memory.begin", nil, address)
	worker := b.engineWorker()
	// more is what there is beyond the empty page, the most while f is not true and at its end.
	more := func(f string) (most, end float64) {
		private := 0.0
		for done := false; !done; time.Sleep(200 * time.Millisecond) {
			b.call(f, &done)
			private = max(private, b.private()-idle)
			end = used(t, b.ctx).total() + used(t, worker).total() - empty
			most = max(most, end)
		}
		if b.t.Logf("the renderer has %.1f MB more", private/1e6); private > maxPrivate {
			b.t.Errorf("the renderer has %.0f bytes more than with an empty page, %d are allowed", private, maxPrivate)
		}
		return most, end
	}
	small := func(t *testing.T, most, end float64) {
		t.Helper()
		t.Logf("%.1f MB more than the empty page's, on the way there %.1f MB: %+v", end/1e6, most/1e6, used(t, worker))
		if most > maxUsage {
			t.Errorf("the tab takes %.0f bytes, %d are allowed", most, maxUsage)
		}
	}

	b.step("loaded", func(t *testing.T) {
		most, end := more("memory.done")
		var k kept
		if b.call("memory.end", &k); k.Fault != nil || k.Bytes < size || k.Storage.Stored != k.Bytes {
			t.Fatalf("%+v", k)
		}
		small(t, most, end)
	})
	b.step("the GPU is lost", func(t *testing.T) {
		s.misbehave(path, broken)
		s.bytes("")
		b.call("memory.lose", nil)
		b.call("memory.beginPicture", nil)
		most, end := more("memory.done")
		var p lostPicture
		if b.call("memory.endPicture", &p); p.Fault != nil || p.Recovered != 1 {
			t.Errorf("%+v", p)
		}
		if n := s.bytes(path); n != 0 {
			t.Errorf("%d bytes were sent", n)
		}
		small(t, most, end)
	})
}

// lostPicture is a picture that is made after the GPU was lost.
type lostPicture struct {
	Fault     *fault
	Hash      string
	Recovered int
}

// TestBrowserStorageLost fills the GPU again from a store in which pieces were damaged, and
// from which all were deleted, since the model was loaded.
func TestBrowserStorageLost(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	f := newSource(t, s)
	b := openBlank(t, s)
	b.call("memory.begin", nil, f.address)
	var whole kept
	if b.call("memory.end", &whole); whole.Fault != nil || whole.Storage.Stored != whole.Bytes {
		t.Fatalf("%+v", whole)
	}
	picture := func() (p lostPicture) {
		b.t.Helper()
		b.call("memory.beginPicture", nil)
		b.call("memory.endPicture", &p)
		return p
	}
	first := picture()
	again := func(t *testing.T) (sent int64) {
		t.Helper()
		s.bytes("")
		b.call("memory.lose", nil)
		if p := picture(); p.Fault != nil || p.Recovered != 1 || p.Hash != first.Hash {
			t.Errorf("the picture was %+v and is %+v", first, p)
		}
		return s.bytes("/models/sprites/")
	}

	b.step("whole", func(t *testing.T) {
		if n := again(t); n != 0 {
			t.Errorf("%d bytes were sent", n)
		}
	})
	b.step("damaged", func(t *testing.T) {
		b.call("store.damagePieces", nil, pieceBytes)
		// The other one has nothing that the networks read.
		if n := again(t); n != pieceBytes {
			t.Errorf("%d bytes were sent for two damaged pieces, of which one is read", n)
		}
	})
	b.step("deleted", func(t *testing.T) {
		b.forget()
		if n := again(t); n != whole.Bytes {
			t.Errorf("%d bytes were sent of %d", n, whole.Bytes)
		}
		if u := b.storage(); u.Used != 0 {
			t.Errorf("%+v is left", u)
		}
	})
	b.step("in memory since", func(t *testing.T) {
		f.is(broken)
		if n := again(t); n != 0 {
			t.Errorf("%d bytes were sent", n)
		}
	})
}
