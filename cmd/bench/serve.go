package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"

	"undertone/cmd/bench/onnx"
)

// server is what the page asks for.
type server struct {
	config  config
	model   *onnx.Model
	browser func() int // its process, 0 while it is not there
	say     func(line string)
	keep    func(result) error // writes what is known so far
	done    chan result
}

// config is what the page is told.
type config struct {
	Rounds     int               `json:"rounds"`
	Parts      []string          `json:"parts"`
	Ops        []string          `json:"ops"`
	Versions   map[string]string `json:"versions"`
	Processors int               `json:"processors"`
}

// result is what the page tells as it goes, and in the end.
type result struct {
	Report json.RawMessage `json:"report"`
	Table  string          `json:"table"`
	Found  []string        `json:"found"` // what the report shows, in sentences
	Failed string          `json:"failed"`
}

// folders are served as they are.
type folders struct{ page, web, peers, program, model string }

func (s *server) handler(f folders) http.Handler {
	mux := http.NewServeMux()
	for at, dir := range map[string]string{"page": f.page, "web": f.web, "peers": f.peers, "program": f.program, "model": f.model} {
		mux.Handle("GET /"+at+"/", http.StripPrefix("/"+at+"/", http.FileServer(http.Dir(dir))))
	}
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.config, nil) })
	mux.HandleFunc("GET /clock", func(w http.ResponseWriter, _ *http.Request) {
		var now struct {
			CPUMs *float64 `json:"cpuMs"`
			Load  float64  `json:"load"`
		}
		if v, ok := cpuMs("/proc", s.browser()); ok {
			now.CPUMs = &v
		}
		now.Load = load("/proc")
		answer(w, now, nil)
	})
	mux.HandleFunc("GET /inputs", func(w http.ResponseWriter, r *http.Request) {
		seed, err := strconv.ParseUint(r.FormValue("seed"), 10, 32)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		in, err := s.model.Inputs(r.FormValue("prompt"), uint32(seed))
		answer(w, in, err)
	})
	mux.HandleFunc("GET /onnx/kernel", func(w http.ResponseWriter, r *http.Request) {
		var k onnx.Kernel
		err := json.Unmarshal([]byte(r.FormValue("row")), &k)
		var data []byte
		if err == nil {
			data, err = k.File()
		}
		deliver(w, data, err)
	})
	mux.HandleFunc("GET /onnx/model", func(w http.ResponseWriter, r *http.Request) {
		accuracy, _ := strconv.Atoi(r.FormValue("accuracy"))
		data, err := s.model.File(r.FormValue("part"), r.FormValue("weights") == "blocks", accuracy)
		deliver(w, data, err)
	})
	mux.HandleFunc("POST /line", func(_ http.ResponseWriter, r *http.Request) {
		if line, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<16)); err == nil {
			s.say(string(line))
		}
	})
	told := func(then func(result) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var all result
			err := json.NewDecoder(r.Body).Decode(&all)
			if err == nil {
				err = then(all)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
			}
		}
	}
	mux.HandleFunc("POST /report", told(s.keep))
	mux.HandleFunc("POST /done", told(func(all result) error {
		s.done <- all
		return nil
	}))
	return isolated(mux)
}

// isolated gives the page threads, and modules the type that browsers want.
func isolated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cache-Control", "no-cache")
		if kind := map[string]string{".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}[filepath.Ext(r.URL.Path)]; kind != "" {
			h.Set("Content-Type", kind)
		}
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func deliver(w http.ResponseWriter, data []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.Write(data)
}

// newConfig is what the page is told of these flags; versions are those of the peers.
func newConfig(rounds int, parts, ops []string, versions map[string]string) config {
	return config{Rounds: rounds, Parts: parts, Ops: ops, Versions: versions, Processors: runtime.NumCPU()}
}
