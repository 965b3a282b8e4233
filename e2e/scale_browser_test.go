package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/storage"

	"undertone/engine/checkpoint"
	"undertone/engine/op"
	"undertone/engine/testing/scale"
)

// long reports whether the tests run that take minutes, and gigabytes of storage.
func long() bool { return os.Getenv("UNDERTONE_LONG") != "" }

// hollowGPU stands in the place of the GPU.
var hollowGPU = script("worker/hollow_gpu.js")

// published is a model of full size that a server has, although it lies nowhere.
type published struct {
	address string // of its model.json
	folder  string
	bytes   int64       // of its files
	weights int64       // bytes of the tensors that the networks read
	whole   atomic.Bool // the server sends no parts of files
	damage  atomic.Bool // the next time that the middle of a large file is sent, a bit of it is wrong
}

// damaging is a file with a wrong bit in its middle, once.
type damaging struct {
	op.Source
	damage *atomic.Bool
}

func (d damaging) ReadAt(b []byte, off int64) (int, error) {
	n, err := d.Source.ReadAt(b, off)
	if at := d.Size()/2 - off; d.Size() > pieceBytes && 0 <= at && at < int64(n) && d.damage.CompareAndSwap(true, false) {
		b[at] ^= 1
	}
	return n, err
}

// publishScale publishes a model of random weights at /scale/NAME/.
func publishScale(t *testing.T, s *server, name string, m scale.Model) *published {
	t.Helper()
	begin := time.Now()
	files, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	b, err := scale.Describe(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := b.Manifest.Write(&text); err != nil {
		t.Fatal(err)
	}
	p := &published{folder: "/scale/" + name + "/", bytes: b.Manifest.Bytes()}
	p.address = p.folder + "model.json"
	s.misbehave(p.address, content(text.Bytes()))
	for path, src := range b.Files {
		s.misbehave(p.folder+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			if p.whole.Load() {
				r.Header.Del("Range")
			}
			http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(damaging{src, &p.damage}, 0, src.Size()))
		})
	}
	for i, n := range m {
		p.weights += files[i].Size() - files[i].Head() - n.Unread()
	}
	t.Logf("%s: %.1f MB, described in %v", name, float64(p.bytes)/1e6, time.Since(begin))
	return p
}

// hollowed is what the GPU in the place of one was given.
type hollowed struct {
	Written, Bytes, Most, Largest int64
	Writes, Buffers               int
}

// maxLargeUsage is how many bytes of a tab a model of any size may take while it is
// loaded and used, whether it is kept or not: as the tab counts them, and as the system does
// for its process.
const maxLargeUsage = 300_000_000

// watcher watches the memory of a tab and its engine.
type watcher struct {
	*tab
	empty float64 // the page's before the engine came
	idle  float64 // the renderer's own then, see private
}

// watches begins to watch a tab.
func watches(b *tab) *watcher { return &watcher{b, used(b.t, b.ctx).total(), b.private()} }

// watch waits until what was begun is done, and returns the most memory beyond the empty
// page's, and that at the end.
func (w *watcher) watch(t *testing.T, limit time.Duration) (most, end float64) {
	t.Helper()
	worker := w.engineWorker()
	begin, engine, private := time.Now(), usage{}, 0.0
	for done := false; ; time.Sleep(200 * time.Millisecond) {
		if w.call("memory.done", &done); done && len(w.workers()) == 0 {
			break // what failed has no engine any more
		}
		engine = used(t, worker)
		end = used(t, w.ctx).total() + engine.total() - w.empty
		most, private = max(most, end), max(private, w.private()-w.idle)
		if time.Since(begin) > limit {
			var at map[string]any
			w.call("memory.progress", &at)
			t.Fatalf("not done after %v: %v", limit, at)
		}
		if done {
			break
		}
	}
	t.Logf("in %v: %.1f MB more than the empty page's, on the way there %.1f MB: %+v; the renderer's %.1f MB", time.Since(begin).Round(time.Millisecond), end/1e6, most/1e6, engine, private/1e6)
	if private > maxLargeUsage {
		t.Errorf("the renderer has %.0f bytes more than with an empty page, %d are allowed", private, int64(maxLargeUsage))
	}
	return most, end
}

// small fails where more memory was used than a large model may take.
func small(t *testing.T, most float64) {
	t.Helper()
	if most > maxLargeUsage {
		t.Errorf("the tab takes %.0f bytes, %d are allowed", most, int64(maxLargeUsage))
	}
}

// shallow is Stable Diffusion 3.5 medium of its own widths, of few blocks.
func shallow() scale.Model {
	return scale.Model{scale.CLIPL(op.Q4_0, 2), scale.CLIPG(op.Q4_0, 2), scale.SD35("shallow", op.Q4_0, 2, 24, 1, 64), scale.KL(128, 256, 512, 512)}
}

// TestBrowserScale loads a model of 0.3 GB, or with UNDERTONE_LONG those of 1.8 and
// 9.4 GB, onto a GPU that only counts: the weights pass through the tab, kept or not, none
// of them stays there, and each goes to the GPU once.
func TestBrowserScale(t *testing.T) {
	t.Parallel()
	names, models := []string{"shallow"}, []scale.Model{shallow()}
	if long() {
		names, models = []string{"sd3.5-medium", "flux-schnell"}, []scale.Model{scale.SD35Medium(op.Q4_0), scale.FluxSchnell(op.Q4_0)}
	}
	for i, name := range names {
		s := smallSite(t)
		s.prelude = hollowGPU
		p := publishScale(t, s, name, models[i])
		for _, kept := range []string{"kept", "kept in part", "not kept"} {
			t.Run(name+" "+kept, func(t *testing.T) { scaled(t, s, p, kept) })
		}
	}
}

// TestBrowserScaleWhole loads a model that is not kept from a server that sends no parts of
// files: what was sent stays, and nothing is sent twice.
func TestBrowserScaleWhole(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.prelude = hollowGPU
	p := publishScale(t, s, "shallow", shallow())
	p.whole.Store(true)
	b := openBlank(t, s)
	b.call("memory.begin", nil, p.address, false)
	var k kept
	var gpu hollowed
	b.call("memory.end", &k)
	b.call("memory.hollow", &gpu)
	if n := s.bytes(p.folder); k.Fault != nil || n > p.bytes+1<<20 || gpu.Written < p.weights {
		t.Errorf("%v, %d bytes were sent of %d, %+v", k, n, p.bytes, gpu)
	}
}

// scaled loads a model, one that is kept after half of it was loaded before. Of one that is
// kept in part the browser takes a third.
func scaled(t *testing.T, s *server, p *published, how string) {
	b := openBlank(t, s)
	store := how != "not kept"
	if u := b.storage(); how == "kept" && u.Quota < p.bytes+p.bytes/20 {
		t.Skipf("the browser offers %d bytes of storage, the model has %d: free as much on this disk to run this test", u.Quota, p.bytes)
	}
	if how == "kept in part" {
		b.run(storage.OverrideQuotaForOrigin(s.URL).WithQuotaSize(float64(p.bytes / 3)))
	}
	w := watches(b)
	s.bytes("")
	sent := int64(0)
	if how == "kept" {
		b.call("memory.begin", nil, p.address, store)
		for end := time.Now().Add(20 * time.Minute); b.storage().Used < p.bytes/2; time.Sleep(50 * time.Millisecond) {
			var done bool
			if b.call("memory.done", &done); done || time.Now().After(end) {
				var k kept
				b.call("memory.stop", &k)
				t.Fatalf("%+v is stored of %d bytes: %v", b.storage(), p.bytes, k)
			}
		}
		b.call("memory.stop", nil)
		for end := time.Now().Add(patience); len(b.workers()) > 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		}
		sent = s.bytes(p.folder)
	}
	p.damage.Store(!store)
	b.call("memory.begin", nil, p.address, store)
	most, _ := w.watch(t, 20*time.Minute)
	var k kept
	if b.call("memory.end", &k); k.Fault != nil || k.Bytes != p.bytes {
		t.Fatalf("%+v", k)
	}
	small(t, most)
	if p.damage.Load() {
		t.Error("nothing that was sent was damaged")
	}
	var gpu hollowed
	b.call("memory.hollow", &gpu)
	rest := s.bytes(p.folder)
	t.Logf("%d bytes were sent, and %d before; to the GPU %+v", rest, sent, gpu)
	// There Q4_0 takes a ninth more, for scales in F32, and a decoder in F16 twice as much.
	if gpu.Most > p.weights*8/5 {
		t.Errorf("%d bytes were on the GPU, the networks read %d", gpu.Most, p.weights)
	}
	if more := float64(gpu.Written-p.weights) / float64(p.weights); more < 0 || more > 0.01 {
		t.Errorf("%d bytes were written to the GPU, the networks read %d", gpu.Written, p.weights)
	}
	u := b.storage()
	t.Logf("%+v in storage", u)
	if how != "kept" {
		// A piece in which one part of a network ends and another begins may be sent twice, and
		// what was on its way when the storage was full.
		if u.Used > p.bytes/3+1<<20 || store != (u.Used > 0) || rest > p.bytes+p.bytes/10 {
			t.Errorf("%d bytes are in use, %d were sent of %d", u.Used, rest, p.bytes)
		}
		if f := k.Storage.Fault; store && (f == nil || f.Code != "storage-full") {
			t.Errorf("%+v, wanted the notice storage-full", k)
		}
		return
	}
	if k.Storage.Stored != p.bytes || u.Used < p.bytes || u.Used > p.bytes+p.bytes/100+1<<20 {
		t.Errorf("%d bytes are stored of %d, %d in use", k.Storage.Stored, p.bytes, u.Used)
	}
	if k.Storage.Reused < p.bytes*2/5 || rest > p.bytes-k.Storage.Reused+1<<20 {
		t.Errorf("%d bytes were reused, %d sent", k.Storage.Reused, rest)
	}
}

// scaledPicture is a picture, and how long its parts took.
type scaledPicture struct {
	lostPicture
	Width, Height, Colours int
	Timings                map[string]any
}

// TestBrowserScalePicture makes, with UNDERTONE_LONG, a picture of one step with the networks
// of Stable Diffusion 3.5: narrow ones, a few blocks of the width of 3.5 medium, and all of
// these. On SwiftShader a busy CPU did 0.4 to 0.6 GFLOP/s, alike in products, attention and
// convolutions. At that rate the last picture, 1385 GFLOP (113 for the text, 647 for the step,
// 625 for the decoder), would take it three quarters of an hour; it was not run to its end.
func TestBrowserScalePicture(t *testing.T) {
	t.Parallel()
	of := func(name string, heads, side int) scale.Model {
		return scale.Model{scale.CLIPL(op.Q4_0, 2), scale.CLIPG(op.Q4_0, 2), scale.SD35(name, op.Q4_0, 2, heads, 1, side), scale.KL(32, 32, 32, 32)}
	}
	drawn := func(name string, side int, m scale.Model) {
		t.Run(name, func(t *testing.T) { scaledDrawing(t, name, side, m) })
	}
	if !long() {
		t.Skip("TestBrowserPublishedFiles draws with a small model; set UNDERTONE_LONG=1 to draw with large ones")
	}
	drawn("narrow", 64, of("narrow", 2, 8))
	drawn("wide", 256, of("wide", 24, 64))
	drawn("sd3.5-medium", 256, scale.SD35Medium(op.Q4_0))
}

// spent is how many seconds of a CPU the processes of the browser have used.
func (b *tab) spent() (seconds float64) {
	b.t.Helper()
	for _, p := range b.processes() {
		seconds += p.CPUTime
	}
	return seconds
}

// scaledDrawing loads a model on the GPU that is there, and makes a picture of it.
func scaledDrawing(t *testing.T, name string, side int, m scale.Model) {
	s := smallSite(t)
	p := publishScale(t, s, name, m)
	b := openBlank(t, s)
	w := watches(b)
	b.call("memory.begin", nil, p.address, true)
	most, _ := w.watch(t, 20*time.Minute)
	var k kept
	if b.call("memory.end", &k); k.Fault != nil {
		t.Fatalf("%+v", k)
	}
	small(t, most)
	s.bytes("")
	b.call("memory.beginPicture", nil, map[string]any{"size": side, "cfg": 1})
	spent := b.spent()
	most, _ = w.watch(t, 3*time.Hour)
	small(t, most)
	var r scaledPicture
	b.call("memory.endPicture", &r)
	t.Logf("%+v, in %.0f seconds of a CPU", r, b.spent()-spent)
	if r.Fault != nil || r.Recovered != 0 || r.Width != side || r.Height != side || r.Colours < 8 {
		t.Errorf("%+v: %+v", r, r.Fault)
	}
	if n := s.bytes(p.folder); n > 0 {
		t.Errorf("%d bytes were sent while the picture was made", n)
	}
}

// TestBrowserScaleFiles opens the files of a large model that were chosen: they pass through
// the tab, and with UNDERTONE_LONG into storage.
func TestBrowserScaleFiles(t *testing.T) {
	t.Parallel()
	name, m, keep := "shallow", shallow(), []bool{false}
	if long() {
		name, m, keep = "sd3.5-medium", scale.SD35Medium(op.Q4_0), []bool{false, true}
	}
	folder := filepath.Join(t.TempDir(), name)
	read, weights := writeScale(t, folder, m)
	s := smallSite(t)
	s.prelude = hollowGPU
	for _, store := range keep {
		t.Run(fmt.Sprintf("kept %v", store), func(t *testing.T) {
			b := openBlank(t, s)
			b.choose(folder)
			w := watches(b)
			b.call("memory.begin", nil, nil, store)
			most, _ := w.watch(t, 20*time.Minute)
			small(t, most)
			var k kept
			var gpu hollowed
			b.call("memory.end", &k)
			b.call("memory.hollow", &gpu)
			u := b.storage()
			t.Logf("%v, %+v, %d bytes of storage in use", k, gpu, u.Used)
			if k.Fault != nil || gpu.Written < weights || gpu.Written > weights+weights/100 || gpu.Most > weights*8/5 {
				t.Errorf("%+v, %+v, the networks read %d bytes", k.Fault, gpu, weights)
			}
			if store != (u.Used >= read) || !store && u.Used > 0 || u.Used > read+read/100+1<<20 {
				t.Errorf("%d bytes are stored of %d", u.Used, read)
			}
		})
	}
}

// writeScale writes the files of a model into a folder. It returns how many bytes they have,
// and how many the networks read.
func writeScale(t *testing.T, folder string, m scale.Model) (bytes, weights int64) {
	t.Helper()
	files, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	given, err := scale.Words()
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		given = append(given, checkpoint.File{Name: f.Name, Source: f})
		weights += f.Size() - f.Head() - m[i].Unread()
	}
	for _, f := range given {
		if strings.HasPrefix(f.Name, "tokenizer_t5/") {
			continue
		}
		name := filepath.Join(folder, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		w, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(w, io.NewSectionReader(f.Source, 0, f.Source.Size()))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		bytes += n
	}
	return bytes, weights
}
