package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"undertone/engine/weights"
)

// The small model's transformer is this wide, in so many heads.
const (
	smallWidth = 48
	smallHeads = 4
)

// large is a safetensors file of BF16 that lies nowhere: its bytes are made when they are
// asked for. No two of its pieces are the same, and all values are small.
type large struct {
	header []byte
	size   int64
	piece  []byte // what lies behind the header, again and again, but for its first words
}

// newLarge is the small model's transformer with blocks so many times as wide.
func newLarge(t *testing.T, m *bundle, times int) *large {
	t.Helper()
	index, err := weights.Parse(bytes.NewReader(m.read(m.path("dit"))))
	if err != nil {
		t.Fatal(err)
	}
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header, data := map[string]entry{}, int64(0)
	for _, x := range index.Tensors { // in the order of their names
		if x.Name == "padding" {
			continue
		}
		e, n := entry{DType: "BF16"}, int64(2)
		for _, d := range x.Shape {
			if d%smallWidth == 0 {
				d *= times
			}
			e.Shape = append(e.Shape, d)
			n *= int64(d)
		}
		e.Offsets = [2]int64{data, data + n}
		header[x.Name], data = e, data+n
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	f := &large{header: append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), piece: make([]byte, pieceBytes)}
	f.size = int64(len(f.header)) + data
	for i := 0; i < pieceBytes; i += 2 {
		f.piece[i], f.piece[i+1] = byte(i>>1), byte(0x38+i>>1%4) // 2⁻¹⁵ to 2⁻⁷
	}
	return f
}

// ReadAt makes bytes of the file.
func (f *large) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) && off < f.size {
		i, from := off/pieceBytes, off%pieceBytes
		part := p[done:min(int64(len(p)), int64(done)+f.size-off)]
		part = part[:copy(part, f.piece[from:])]
		overlay(part, off, i*pieceBytes, []byte{byte(i), 0x38, byte(i >> 8), 0x38})
		overlay(part, off, 0, f.header)
		done, off = done+len(part), off+int64(len(part))
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// overlay puts data, which begins at byte at of a file, over the part p, which begins at
// byte off.
func overlay(p []byte, off, at int64, data []byte) {
	from, to := max(at, off), min(at+int64(len(data)), off+int64(len(p)))
	if from < to {
		copy(p[from-off:to-off], data[from-at:])
	}
}

// publishLarge publishes the small model with a transformer so many times as wide. It
// returns the addresses of its model.json and of the transformer's file.
func publishLarge(t *testing.T, s *server, times int) (address, path string, size int64) {
	t.Helper()
	m := s.bundle(t)
	f := newLarge(t, m, times)
	entry, err := weights.Describe("dit", m.path("dit"), io.NewSectionReader(f, 0, f.size))
	if err != nil {
		t.Fatal(err)
	}
	e := m.file("dit")
	e["bytes"], e["sha256"], e["pieces"] = entry.Bytes, entry.SHA256, entry.Pieces
	for _, c := range m.manifest["components"].([]any) {
		if c := c.(map[string]any); c["role"] == weights.RoleTransformer {
			config := c["config"].(map[string]any)
			config["hidden_size"], config["num_heads"] = times*smallWidth, times*smallHeads
		}
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(f, 0, f.size))
	}
	return m.publish("large", map[string]http.HandlerFunc{"dit": serve}), "/bad/large/" + m.path("dit"), f.size
}
