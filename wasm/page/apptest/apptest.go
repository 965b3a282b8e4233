package apptest

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

func init() { words.Use(words.Languages[0]) }

// Text is the description of a small model, as sites hold it.
const Text = `{"model":"sprites","title":"Sprites","family":"flux","revision":"1",
"parameters":{"dit":1,"text":1,"vae":1},"licenses":{"weights":"Apache-2.0","data":"drawn"},
"bytes":1234,"files":{"dit":1000,"text":200,"vae":30,"tokenizer":4},"bits":8,"blocks":{"double":2,"single":6},
"defaults":{"steps":4,"size":256,"shift":1,"seed":7,"cfg":1,"prompt":"a frog"},"sizes":[256],"steps":4,"maxSteps":50,
"presets":[{"id":"detail","title":"Detail","positive":"fine","negative":"coarse","weight":1.5,"range":[-1,3],"schedule":{"kind":"step","start":1}},
{"id":"night","title":"Night","positive":"at night","negative":"by day","weight":1,"schedule":{"kind":"constant"}}],
"understands":{"objects":["frog"],"colours":["red"],"counts":["two"],"places":["in the snow"]},"examples":["a frog in the snow"],"flops":2e9,"memory":2000}`

// Description is that model's.
func Description(t *testing.T) recipe.Description {
	t.Helper()
	d, err := recipe.ParseDescription([]byte(Text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
