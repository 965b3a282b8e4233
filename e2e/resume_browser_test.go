package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// source serves the transformer's file of the small model, in the way that a test
// chooses.
type source struct {
	t       *testing.T
	s       *server
	path    string
	data    []byte
	address string // of the model.json that names it

	mu   sync.Mutex
	mode http.HandlerFunc
}

func newSource(t *testing.T, s *server) *source {
	m := s.bundle(t)
	f := &source{t: t, s: s, data: m.read(m.path("dit")), address: model, path: "/models/sprites/" + m.path("dit")}
	f.is(nil)
	s.misbehave(f.path, func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		h := f.mode
		f.mu.Unlock()
		h(w, r)
	})
	return f
}

// is sets how the file is served; nil is properly.
func (f *source) is(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mode = h; h == nil {
		f.mode = content(f.data)
	}
}

// stopsAt sends the file up to a place, and then nothing more.
func (f *source) stopsAt(place int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(f.data)))
		w.Write(f.data[:place])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// slowly sends the file in parts with a pause between them.
func (f *source) slowly(part int, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(f.data)))
		for rest := f.data; len(rest) > 0 && r.Context().Err() == nil; rest = rest[min(part, len(rest)):] {
			w.Write(rest[:min(part, len(rest))])
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
	}
}

// arrives waits until the first bytes and the whole pieces of a file that stops at a
// place are there.
func (b *tab) arrives(place int) {
	b.t.Helper()
	b.call("store.arrived", nil, place/pieceBytes*pieceBytes)
}

// TestBrowserResume breaks downloads off and takes them up again.
func TestBrowserResume(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	f := newSource(t, s)
	b := openBlank(t, s)
	for _, percent := range []int{1, 50, 99} {
		b.step(fmt.Sprintf("cut at %d percent and reload", percent), func(t *testing.T) {
			b.forget()
			place := len(f.data) * percent / 100
			f.is(f.stopsAt(place))
			b.call("store.begin", nil, f.address)
			b.arrives(place)
			b.run(chromedp.Reload())
			f.is(nil)
			s.bytes("")
			k := b.keep(f.address)
			if n := int(s.bytes(f.path)); k.Fault != nil || n > len(f.data)-place+pieceBytes {
				t.Errorf("%d bytes were sent after a cut at %d of %d: %+v", n, place, len(f.data), k)
			}
		})
	}
	b.step("two tabs", func(t *testing.T) {
		b.forget()
		c := b.another(s.URL + "/blank.html")
		f.is(f.slowly(256<<10, 50*time.Millisecond))
		s.bytes("")
		b.call("store.begin", nil, f.address)
		second := c.keep(f.address)
		first := b.kept()
		sent := s.bytes(".safetensors") + s.bytes("/tokenizer")
		if first.Fault != nil || second.Fault != nil || float64(sent) > 1.02*float64(first.Bytes) {
			t.Errorf("%d bytes were sent for %d: %+v, %+v", sent, first.Bytes, first, second)
		}
		if len(first.Waits)+len(second.Waits) == 0 {
			t.Error("no tab has waited")
		}
	})
	b.step("deleted while it is downloaded", func(t *testing.T) {
		b.forget()
		f.is(f.slowly(256<<10, 50*time.Millisecond))
		b.call("store.begin", nil, f.address)
		b.arrives(pieceBytes)
		b.forget()
		k := b.kept()
		if u := b.storage(); k.Fault != nil || k.Storage.Fault != nil || u.Used != 0 || len(u.Models) != 0 {
			t.Errorf("%+v, and %+v is left", k, u)
		}
	})
}

// TestBrowserResumeOffline has no network in the middle of a file.
func TestBrowserResumeOffline(t *testing.T) {
	s := smallSite(t)
	f := newSource(t, s)
	b := openBlank(t, s)
	place := pieceBytes + 1000
	f.is(f.stopsAt(place))
	b.call("store.begin", nil, f.address)
	b.arrives(place)
	// The browser itself says that there is no network, to the page and its worker,
	// and every connection breaks, with those that are tried.
	f.is(broken)
	s.CloseClientConnections()
	b.network(false)
	b.call("store.waitsForNetwork", nil)
	time.Sleep(3 * time.Second)
	f.is(nil)
	s.bytes("")
	b.call("store.watchResume", nil)
	b.network(true)
	var k kept
	b.call("store.endResumed", &k)
	if n := int(s.bytes(f.path)); k.Fault != nil || k.Ms > 2000 || n == 0 || n > len(f.data)-pieceBytes {
		t.Errorf("%d bytes were sent: %+v", n, k)
	}
	t.Logf("resumed %.0f ms after the network was back", k.Ms)
}

// TestBrowserResumeKilled ends the page, and every fourth time the browser, at moments spread
// over the time in which a model is written.
func TestBrowserResumeKilled(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	f := newSource(t, s)
	o := options{profile: t.TempDir()}
	b := open(t, s.URL+"/blank.html", o)
	const kills, within = 20, 400 * time.Millisecond
	for i := range kills {
		b.forget()
		f.is(f.slowly(512<<10, 10*time.Millisecond))
		b.call("store.begin", nil, f.address)
		time.Sleep(within*time.Duration(i*7%kills)/kills + rand.N(within/kills)) // page and browser at early and late ones
		if i%4 != 0 {
			b.run(chromedp.Reload())
		} else {
			b.kill()
			b = open(t, s.URL+"/blank.html", o)
		}
		f.is(nil)
		var before int
		b.call("store.wholeBytes", &before)
		k := b.keep(f.address)
		if k.Fault != nil || k.Storage.Stored != k.Bytes || int(k.Storage.Reused) < before {
			t.Fatalf("kill %d, with %d good bytes: %+v", i, before, k)
		}
		b.checkPieces(t)
	}
}

// network lets the browser have a network, or not.
func (b *tab) network(is bool) {
	b.t.Helper()
	b.run(network.EmulateNetworkConditions(!is, 0, -1, -1))
}
