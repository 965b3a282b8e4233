package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"undertone/engine/weights"
)

// model is the path of the site's model.
const model = "/models/sprites/model.json"

// pieceBytes is the length of the pieces in which files are verified.
const pieceBytes = 4 << 20

// bundle is the model as the site serves it, to be damaged.
type bundle struct {
	t        *testing.T
	s        *server
	manifest map[string]any
}

func (s *server) bundle(t *testing.T) *bundle {
	b := &bundle{t: t, s: s}
	if err := json.Unmarshal(b.read("model.json"), &b.manifest); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) read(name string) []byte {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.s.dir, "models/sprites", name))
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// file is the entry of a role in the manifest.
func (b *bundle) file(role string) map[string]any {
	for _, f := range b.manifest["files"].([]any) {
		if f := f.(map[string]any); f["role"] == role {
			return f
		}
	}
	b.t.Fatalf("no file for %s", role)
	return nil
}

func (b *bundle) path(role string) string { return b.file(role)["path"].(string) }

// text is the manifest as it now is.
func (b *bundle) text() []byte {
	text, err := json.Marshal(b.manifest)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// publish serves the bundle under /bad/NAME/ with the manifest as it now is, and
// damaged files in place of the good ones. It returns the address.
func (b *bundle) publish(name string, damaged map[string]http.HandlerFunc) string {
	folder := "/bad/" + name + "/"
	b.s.misbehave(folder+"model.json", content(b.text()))
	good := b.s.bundle(b.t)
	for _, role := range []string{"dit", "text", "vae", "tokenizer"} {
		path := good.path(role)
		h := damaged[role]
		if h == nil {
			file := filepath.Join(b.s.dir, "models/sprites", path)
			h = func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }
		}
		b.s.misbehave(folder+path, h)
	}
	return folder + "model.json"
}

// content serves bytes as a file, with ranges.
func content(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func html(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, "<!doctype html><title>Welcome</title>")
	}
}

// notFinite publishes weights with one scale that is not a number, and the right
// hashes for them.
func notFinite(m *bundle) map[string]http.HandlerFunc {
	data := m.read(m.path("dit"))
	index, err := weights.Parse(bytes.NewReader(data))
	if err != nil {
		m.t.Fatal(err)
	}
	last := int64(-1) // of the quantized tensors, which every model uses
	for _, x := range index.Tensors {
		if x.Type == "Q8_0" {
			last = x.Offset
		}
	}
	if last < 0 {
		m.t.Fatal("the transformer has no tensor in Q8_0")
	}
	binary.LittleEndian.PutUint16(data[last:], 0x7e00) // the f16 scale of its first block
	f := m.file("dit")
	var pieces []any
	root := sha256.New()
	for rest := data; len(rest) > 0; rest = rest[min(len(rest), pieceBytes):] {
		sum := sha256.Sum256(rest[:min(len(rest), pieceBytes)])
		pieces = append(pieces, hex.EncodeToString(sum[:]))
		root.Write(sum[:])
	}
	f["pieces"], f["sha256"] = pieces, hex.EncodeToString(root.Sum(nil))
	return map[string]http.HandlerFunc{"dit": content(data)}
}

// publishVersion publishes the model anew at its own address, with one bit changed in the
// middle of the transformer's file and the hashes that belong to it.
func publishVersion(t *testing.T, s *server, revision string, serve func([]byte) http.HandlerFunc) {
	m := s.bundle(t)
	data := m.read(m.path("dit"))
	data[len(data)/2] ^= byte(len(revision))
	path := "dit." + revision + ".safetensors"
	entry, err := weights.Describe("dit", path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	f := m.file("dit")
	f["path"], f["sha256"], f["pieces"] = path, entry.SHA256, entry.Pieces
	m.manifest["revision"] = revision
	s.misbehave("/models/sprites/"+path, serve(data))
	s.misbehave(model, content(m.text()))
}

// broken cuts every connection.
func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
