package weights

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// editing is tinyModel with an encoder, which bend may change.
func editing(t *testing.T, bend func(*Manifest)) Memory {
	t.Helper()
	m := tinyModel(t)
	var b bytes.Buffer
	if err := WriteSafetensors(&b, nil, Float32s("encoder.layers.1.weight", op.BF16, []int{8, 3, 3, 3}, drawn(1, 8*3*9))); err != nil {
		t.Fatal(err)
	}
	m["encoder.safetensors"] = b.Bytes()
	f, err := Describe(RoleEncoder, "encoder.safetensors", bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := ParseManifest(m["model.json"])
	if err != nil {
		t.Fatal(err)
	}
	manifest.Files = append(manifest.Files, f)
	manifest.Components = append(manifest.Components, Component{Role: RoleEncoder, Kind: "tiny", Config: json.RawMessage(`{"unshuffle":1}`), File: "encoder", Parameters: 216})
	bend(manifest)
	if m["model.json"], err = json.Marshal(manifest); err != nil {
		t.Fatal(err)
	}
	return m
}

// An encoder is no part of what every picture needs: neither of the download nor of the
// number of parameters. A conversion keeps it, as F16.
func TestOptionalEncoder(t *testing.T) {
	plain, err := LoadBundle(t.Context(), tinyModel(t), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := LoadBundle(t.Context(), editing(t, func(*Manifest) {}), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := b.File("encoder")
	if b.Bytes() != plain.Bytes() || b.RoleBytes(RoleEncoder) != f.Bytes || plain.RoleBytes(RoleEncoder) != 0 || b.Parameters() != plain.Parameters() {
		t.Errorf("%d and %d bytes, %v parameters, without an encoder %d, %d and %v", b.Bytes(), b.RoleBytes(RoleEncoder), b.Parameters(), plain.Bytes(), plain.RoleBytes(RoleEncoder), plain.Parameters())
	}
	out := t.TempDir()
	if err := b.Convert(t.Context(), "model.json", out, op.Q8_0, nil); err != nil {
		t.Fatal(err)
	}
	if b, err = LoadBundle(t.Context(), Dir(out), "model.json"); err != nil {
		t.Fatal(err)
	}
	src, _, err := b.OpenFile(t.Context(), "encoder")
	if err != nil {
		t.Fatal(err)
	}
	defer Close(src)
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if w, _ := x.Lookup("encoder.layers.1.weight"); w.DType != op.F16 || !slices.Equal(w.Shape, []int{8, 3, 3, 3}) {
		t.Errorf("the encoder's weight is %s %v", w.DType, w.Shape)
	}
}

func TestEncoderRefusals(t *testing.T) {
	for want, bend := range map[string]func(*Manifest){
		"the number of encoders is 2": func(m *Manifest) {
			again, file := m.Components[len(m.Components)-1], m.Files[len(m.Files)-1]
			again.File, file.Name, file.Path = "other", "other", "other.safetensors"
			m.Components, m.Files = append(m.Components, again), append(m.Files, file)
		},
		"belongs to no component": func(m *Manifest) { m.Components = m.Components[:len(m.Components)-1] },
		"wanted one of the role":  func(m *Manifest) { m.Files[len(m.Files)-1].Role = "vae" },
		"only text encoders have": func(m *Manifest) { m.Components[len(m.Components)-1].Name = "clip_l" },
	} {
		_, err := LoadBundle(t.Context(), editing(t, bend), "model.json")
		if !fault.Is(err, fault.ManifestInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, wanted %q", err, want)
		}
	}
}
