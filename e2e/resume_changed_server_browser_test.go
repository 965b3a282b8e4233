package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
)

// otherServer is what a server has become. code is that of the fault; "" where the model
// is loaded all the same.
type otherServer struct {
	name, code string
	h          http.HandlerFunc
}

func otherServers(data []byte) []otherServer {
	changed := bytes.Clone(data)
	for i := 0; i < len(changed); i += 100_000 {
		changed[i] ^= 0xff
	}
	ranged := func(w http.ResponseWriter, r *http.Request, say string, send []byte) {
		if r.Header.Get("Range") == "" {
			content(data)(w, r)
			return
		}
		w.Header().Set("Content-Range", say)
		w.WriteHeader(http.StatusPartialContent)
		w.Write(send)
	}
	total := fmt.Sprint(len(data))
	last := fmt.Sprintf("bytes %d-%d/%d", len(data)-10, len(data)-1, len(data))
	return []otherServer{
		{"Range is ignored", "", func(w http.ResponseWriter, r *http.Request) { w.Write(data) }},
		{"another file under another ETag", "weights-hash", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"other"`)
			content(changed)(w, r)
		}},
		{"416", "", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				http.Error(w, "no such range", http.StatusRequestedRangeNotSatisfiable)
				return
			}
			content(data)(w, r)
		}},
		{"a Content-Range that lies", "", func(w http.ResponseWriter, r *http.Request) {
			ranged(w, r, strings.Replace(r.Header.Get("Range"), "=", " ", 1)+"/"+total, data[len(data)/3:])
		}},
		{"a Content-Range further on", "", func(w http.ResponseWriter, r *http.Request) {
			ranged(w, r, last, data[len(data)-10:])
		}},
		{"no Content-Range", "", func(w http.ResponseWriter, r *http.Request) { ranged(w, r, "", data) }},
		{"gzip", "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			z.Write(data)
			z.Close()
		}},
		{"a shorter file", "weights-truncated", content(data[:len(data)-100])},
		{"a longer file", "manifest-invalid", content(append(bytes.Clone(data), "more"...))},
		{"a longer file of unknown length", "", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(data)
			w.Write([]byte("more"))
		}},
		{"a web page with status 200", "not-weights", html(200)},
		{"no validator", "", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(data)
		}},
	}
}

// TestBrowserResumeChangedServer cuts a download anywhere and goes on with a server that
// has become another one: the model is whole, which its picture shows, or refused,
// and never mixed. Every kind of change is met 17 times, or as often as UNDERTONE_RUNS
// says, at places drawn by lot, of which half lie behind the first piece, so that
// only the rest is asked for. Two browsers share the work.
func TestBrowserResumeChangedServer(t *testing.T) {
	runs := 17
	if n, err := strconv.Atoi(os.Getenv("UNDERTONE_RUNS")); err == nil {
		runs = n
	}
	dir := twoPieces(t)
	for lane := range 2 {
		t.Run(fmt.Sprint("browser ", lane+1), func(t *testing.T) {
			t.Parallel()
			s := serveFolder(t, dir)
			f := newSource(t, s)
			b := openBlank(t, s)
			good := b.keep(f.address)
			if good.Fault != nil || good.Hash == "" {
				t.Fatalf("%+v", good)
			}
			for i, c := range otherServers(f.data) {
				if i%2 == lane {
					b.step(c.name, func(t *testing.T) { b.changes(t, f, c, runs, good.Hash) })
				}
			}
		})
	}
}

// changes cuts and goes on so many times. picture is the hash of the right one.
func (b *tab) changes(t *testing.T, f *source, c otherServer, runs int, picture string) {
	tries := 1
	for i := range runs {
		b.forget()
		place := rand.N(pieceBytes)
		if i%2 == 0 {
			place = pieceBytes + rand.N(len(f.data)-pieceBytes)
		}
		f.is(f.stopsAt(place))
		b.call("store.begin", nil, f.address)
		b.arrives(place)
		b.call("store.abort", nil)
		f.is(c.h)
		k := b.keep(f.address)
		switch {
		case c.code == "" && (k.Fault != nil || k.Storage.Stored != k.Bytes || k.Hash != picture):
			t.Errorf("cut at %d: %+v", place, k)
		case c.code != "" && (k.Fault == nil || k.Fault.Code != c.code):
			t.Errorf("cut at %d: %+v, wanted %s", place, k, c.code)
		}
		b.checkPieces(t)
		tries = max(tries, k.Retry)
	}
	t.Logf("%d runs, at most %d attempts", runs, tries)
	if tries > 2 {
		t.Errorf("the server was understood only at attempt %d", tries)
	}
}
