package recipe

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"undertone/engine/tinyjson"
	"undertone/guidance"
)

// offered is a model with two presets.
func offered(t *testing.T) Description {
	t.Helper()
	d := Description{Model: "sprites", Blocks: Blocks{Double: 2, Single: 6}, Sizes: []Size{Square(256)}, MaxSteps: 50, Steps: 4,
		Defaults: Defaults{Steps: 4, Size: Square(256), Seed: 7, CFG: 1, Prompt: "a frog"},
		Presets: []Preset{
			{ID: "detail", Positive: "fine", Negative: "coarse", Weight: 1.5, Schedule: tinyjson.Raw(`{"kind":"step","start":1}`)},
			{ID: "night", Positive: "at night", Negative: "by day", Weight: 1, Schedule: tinyjson.Raw(`{"kind":"constant"}`)},
		}}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d
}

// reads is what a hash asks for, with its notices as "field given used".
func reads(t *testing.T, hash string) (q Request, told []string) {
	t.Helper()
	q, notices := FromEmbed(hash, offered(t))
	for _, n := range notices {
		told = append(told, strings.TrimSpace(fmt.Sprint(n.Field, " ", n.Given, " ", n.Used)))
	}
	return q, told
}

func TestFromEmbed(t *testing.T) {
	q, told := reads(t, "#prompt=a+red%20frog&seed=9&preset=night+detail&weight=2,-1.5&schedule=window:1-3")
	if q.Prompt != "a red frog" || q.Seed != 9 || q.Steps != 4 || told != nil {
		t.Errorf("%+v, %q", q, told)
	}
	window := guidance.Schedule{Kind: "window", Start: 1, End: 3}
	want := []Term{{Positive: "at night", Negative: "by day", Weight: 2, Schedule: window}, {Positive: "fine", Negative: "coarse", Weight: -1.5, Schedule: window}}
	if !reflect.DeepEqual(q.Guidance, want) {
		t.Errorf("directions %+v, wanted %+v", q.Guidance, want)
	}
	// A direction in words has the schedule of the model's first preset, and a weight of 1.
	if q, told = reads(t, "guidance=in+the+snow+|+in+summer"); len(q.Guidance) != 1 || told != nil ||
		!reflect.DeepEqual(q.Guidance[0], Term{Positive: "in the snow", Negative: "in summer", Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 1}}) {
		t.Errorf("in words: %+v, %q", q.Guidance, told)
	}
	if q, told = reads(t, `guidance=[{"positive":"red","weight":3}]&weight=2`); len(q.Guidance) != 1 || q.Guidance[0].Weight != 2 || told != nil {
		t.Errorf("as JSON: %+v, %q", q.Guidance, told)
	}
	// A weight alone is that of the model's first preset; without it, there is no guidance.
	if q, told = reads(t, "weight=0.5"); len(q.Guidance) != 1 || q.Guidance[0].Positive != "fine" || q.Guidance[0].Weight != 0.5 || told != nil {
		t.Errorf("a weight alone: %+v, %q", q.Guidance, told)
	}
	if q, told = reads(t, ""); len(q.Guidance) != 0 || q.Prompt != "a frog" || told != nil {
		t.Errorf("nothing: %+v, %q", q, told)
	}
}

// Absurd values are brought into range or left out, and told of, in no time.
func TestFromEmbedAbsurd(t *testing.T) {
	long := strings.Repeat("9", 1<<16)
	for hash, want := range map[string]string{
		"steps=1e400":                               "steps",
		"steps=-5":                                  "steps -5 1",
		"seed=1e30":                                 "seed",
		"seed=abc":                                  "seed abc",
		"size=999999":                               "size 999999 256",
		"cfg=1e9":                                   "cfg 1000000000 30",
		"preset=detail&weight=1e400":                "weight 1e400 20",
		"preset=detail&weight=-99":                  "weight -99 -20",
		"preset=detail&weight=heavy":                "weight heavy",
		"preset=detail&weight=NaN":                  "weight NaN",
		"preset=detail&weight=1+2+3":                "weight 2",
		"preset=nowhere":                            "preset nowhere",
		"preset=detail&schedule=slope":              "schedule slope",
		"preset=detail&schedule=step:9999999":       "schedule 9999999 7",
		`preset=detail&schedule={"kind":`:           `schedule {"kind":`,
		`preset=detail&schedule={},"x":[{}`:         `schedule {},"x":[{}`,
		"guidance=[[[[[":                            "guidance [[[[[",
		"preset=" + strings.Repeat("detail+", 5000): "preset detail",
		"weight=" + long:                            "weight",
		"schedule=step:" + long + "&preset=detail":  "schedule",
		"seed=1&nonsense=" + long:                   "link nonsense",
	} {
		q, told := reads(t, hash)
		const most = 10 * time.Millisecond
		took := time.Hour // the shortest of some, as the machine may be busy with something else
		for i := 0; i < 20 && took > most; i++ {
			begin := time.Now()
			FromEmbed(hash, offered(t))
			took = min(took, time.Since(begin))
		}
		if took > most {
			t.Errorf("%.40s took %v", hash, took)
		}
		if len(told) == 0 || !strings.HasPrefix(told[0], want) {
			t.Errorf("%.40s: told %.80q, wanted %q", hash, told, want)
		}
		if err := q.Check(offered(t).Limits()); err != nil {
			t.Errorf("%.40s: %v", hash, err)
		}
	}
}
