package recipe

import (
	"encoding/json"
	"fmt"
)

// Info describes the model and the machine to people and to the page.
type Info struct {
	Model       string     `json:"model"`
	Title       string     `json:"title"`
	Family      string     `json:"family"`
	Revision    string     `json:"revision"`
	Licenses    Licenses   `json:"licenses"`
	Parameters  Counts     `json:"parameters"`
	Precision   string     `json:"precision"`
	Bytes       int64      `json:"bytes"` // of all files
	Backend     string     `json:"backend"`
	Adapter     string     `json:"adapter"`
	Software    bool       `json:"software"`
	Features    []string   `json:"features"`
	Plan        string     `json:"plan"`
	Blocks      Blocks     `json:"blocks"`
	Sizes       []Size     `json:"sizes"`
	Steps       int        `json:"steps"` // the default
	MaxSteps    int        `json:"maxSteps"`
	Defaults    Defaults   `json:"defaults"`
	Presets     []Preset   `json:"presets"`
	Understands Vocabulary `json:"understands"`
	Words       []string   `json:"words"` // all that the tokenizer knows
	Examples    []string   `json:"examples"`
}

// Blocks counts the transformer's blocks by kind, in the order they run.
type Blocks struct {
	Double int `json:"double"`
	Single int `json:"single"`
}

func (b Blocks) String() string { return fmt.Sprintf("%d double, %d single", b.Double, b.Single) }

// Counts counts the weights of the transformer, of all text encoders together and of
// the decoder.
type Counts struct {
	DiT  int64 `json:"dit"`
	Text int64 `json:"text"`
	VAE  int64 `json:"vae"`
}

// All counts the weights of all of them.
func (c Counts) All() int64 { return c.DiT + c.Text + c.VAE }

// Licenses name the terms of the weights and of the data they were trained on.
type Licenses struct {
	Weights string `json:"weights"`
	Data    string `json:"data"`
}

// Defaults are the settings of the first picture.
type Defaults struct {
	Steps  int     `json:"steps"`
	Size   Size    `json:"size"`
	CFG    float64 `json:"cfg"`
	Seed   uint32  `json:"seed"`
	Prompt string  `json:"prompt"`
}

// Preset is a ready-made guidance direction. Schedule is guidance.Schedule as JSON;
// without one, ParseManifest sets that of all blocks alike.
// Range, where it is given, holds the lowest and the highest weight that still
// make clean pictures.
type Preset struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Positive string          `json:"positive"`
	Negative string          `json:"negative"`
	Weight   float64         `json:"weight"`
	Head     float64         `json:"head"`
	Range    []float64       `json:"range,omitempty"`
	Schedule json.RawMessage `json:"schedule,omitempty"`
}

// Vocabulary lists the words a model was trained on, for people.
type Vocabulary struct {
	Objects   []string `json:"objects"`
	Colours   []string `json:"colours"`
	Counts    []string `json:"counts"`
	Places    []string `json:"places"`
	Styles    []string `json:"styles"`
	Quality   []string `json:"quality"`
	Relations []string `json:"relations"`
}
