package engine_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// describe reads a model.json and describes it.
func describe(text string) (recipe.Description, error) {
	m, err := weights.ParseManifest([]byte(text))
	if err != nil {
		return recipe.Description{}, err
	}
	return engine.Describe(m)
}

func shipped(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../models/sprites/model.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The description of the shipped model says what its model.json says, and comes back
// from JSON as it was. The arithmetic of its first picture is compared with a count by
// hand of the products; what is done element by element adds a little.
func TestDescribe(t *testing.T) {
	d, err := describe(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	if d.Model != "sprites" || d.Bits != 16 || d.Blocks.Double+d.Blocks.Single != 6 || d.Steps != d.Defaults.Steps || len(d.Presets) < 5 || len(d.Examples) == 0 || len(d.Understands.Objects) == 0 {
		t.Errorf("described as %+v", d)
	}
	var sum int64
	for _, role := range []string{"dit", "text", "vae", "tokenizer"} {
		if d.Files[role] <= 0 {
			t.Errorf("the %s has %d bytes", role, d.Files[role])
		}
		sum += d.Files[role]
	}
	if sum != d.Bytes || d.Memory <= d.Bytes {
		t.Errorf("files of %d bytes, together %d, in memory %d", sum, d.Bytes, d.Memory)
	}
	const tokens, width = 64 + 32, 256
	perBlock := 2.0*tokens*(4*width*width+8*width*width) + 4*tokens*tokens*width
	words := 3 * 4 * (2.0*32*(4*192*192+2*192*768) + 4*32*32*192)
	vae := 2 * 9 * (256.0*(16*128+6*128*128) + 1024*(128*64+6*64*64) + 4096*(64*32+3*32*32) + 16384*(32*16+3*16*16) + 65536*(16*8+3*8*8) + 65536*8*3)
	if want := words + 4*6*perBlock + vae; d.FLOPs < want || d.FLOPs > 1.03*want {
		t.Errorf("%.0f operations, by hand %.0f and a little", d.FLOPs, want)
	}
	own := strings.Replace(shipped(t), `"presets": [`, `"presets": [{"id":"own","title":"Own","positive":"a","negative":"b","weight":1,"head":1},`, 1)
	if steering, err := describe(own); err != nil || !steering.SteersHead || d.SteersHead {
		t.Errorf("directions steer the head: %t, with a preset that does %t (%v)", d.SteersHead, steering.SteersHead, err)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	back, err := recipe.ParseDescription(text)
	if err != nil || !reflect.DeepEqual(compacted(t, back), compacted(t, d)) {
		t.Errorf("%v: came back as %+v", err, back)
	}
}

// compacted is a description with the texts of its schedules as JSON writes them.
func compacted(t *testing.T, d recipe.Description) (out map[string]any) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What cannot be used is refused before anything is downloaded.
func TestDescribeRefuses(t *testing.T) {
	whole := shipped(t)
	for name, c := range map[string]struct {
		old, new string
		code     fault.Code
	}{
		"HTML":          {whole, "<!doctype html>", fault.ManifestInvalid},
		"no bytes":      {`"bytes": `, `"bytes": -`, fault.ManifestInvalid},
		"no blocks":     {`"depth": 1`, `"depth": -1`, fault.ModelUnsupported},
		"too deep":      {`"depth_single_blocks": 5`, `"depth_single_blocks": 20000000`, fault.ModelUnsupported},
		"no steps":      {`"steps": 4`, `"steps": 0`, fault.ManifestInvalid},
		"no limit":      {`"max_steps": `, `"max_steps": -`, fault.ManifestInvalid},
		"a slope":       {`"kind": "step"`, `"kind": "step", "slope": 1`, fault.ManifestInvalid},
		"another kind":  {`"flux"`, `"flax"`, fault.ModelUnsupported},
		"odd size":      {`"sizes": [`, `"sizes": [250, `, fault.ModelUnsupported},
		"another width": {`"hidden_size": 192`, `"hidden_size": 200`, fault.ModelUnsupported},
	} {
		text := strings.ReplaceAll(whole, c.old, c.new)
		if text == whole {
			t.Fatalf("%s: model.json does not hold %.40q", name, c.old)
		}
		if d, err := describe(text); !fault.Is(err, c.code) {
			t.Errorf("%s: %v, %+v", name, err, d.Blocks)
		}
	}
}
