package recipe

import (
	"net/url"
	"reflect"
	"strings"
	"testing"

	"undertone/guidance"
)

// hashOf is the hash that element.js makes of attributes.
func hashOf(list []Attribute) string {
	q := url.Values{}
	for _, a := range list {
		name := a.Name
		if name == "guidancerows" {
			name = string(FieldRows)
		}
		q.Set(name, a.Value)
	}
	return q.Encode()
}

// TestAttributes writes requests as attributes, which are read as the same requests.
func TestAttributes(t *testing.T) {
	d := offered(t)
	own := d.Request()
	own.Guidance = nil
	night, _ := d.Presets[1].Term()
	night.Weight = -0.5
	detail, _ := d.Presets[0].Term()
	for want, change := range map[string]func(*Request){
		"prompt seed": func(*Request) {},
		"prompt seed steps cfg guidancerows": func(q *Request) {
			q.Steps, q.CFG, q.GuidanceRows, q.Seed, q.Prompt = 9, 2.5, guidance.RowsCond, 4294967295, `"<b>" & 'c' = +%`
		},
		"prompt seed preset weight": func(q *Request) { q.Guidance = []Term{night, detail} },
		"prompt seed guidance": func(q *Request) {
			q.Guidance = []Term{night, {Positive: "red | blue", Weight: 2, Head: 1, Schedule: guidance.Schedule{Kind: "window", Start: 1, End: 3}}}
		},
		"prompt seed ablate": func(q *Request) { q.Ablate = &Ablation{Pooled: PooledZero, Tokens: TokensEmpty} },
		"prompt seed ablate preset weight": func(q *Request) {
			q.Guidance = []Term{night}
			q.Ablate = &Ablation{Pooled: PooledOfPrompt, Prompt: "a: cat"}
		},
	} {
		q := own
		change(&q)
		list := Attributes(q, d)
		var names []string
		for _, a := range list {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("attributes %s, wanted %s", got, want)
		}
		got, notices := FromEmbed(hashOf(list), d)
		if len(got.Guidance) == 0 {
			got.Guidance = nil
		}
		if !reflect.DeepEqual(got, q) || len(notices) != 0 {
			t.Errorf("%q is read as %+v %v, wanted %+v", list, got, notices, q)
		}
	}
}

func TestAblationInWords(t *testing.T) {
	q, told := reads(t, "ablate=pooled:random,tokens:empty")
	if told != nil || q.Ablate == nil || *q.Ablate != (Ablation{Pooled: PooledRandom, Tokens: TokensEmpty}) {
		t.Errorf("%+v, %q", q.Ablate, told)
	}
	for _, hash := range []string{"ablate=pooled:some", "ablate=vector:zero", "ablate=zero"} {
		if q, told = reads(t, hash); q.Ablate != nil || len(told) != 1 {
			t.Errorf("%s: %+v, %q", hash, q.Ablate, told)
		}
	}
}

// TestTag writes words that would be marks as text.
func TestTag(t *testing.T) {
	q := Request{Prompt: `a "red" <b>car</b> [x](y) & it's`, Seed: 3, Steps: 4, Size: Square(256), CFG: 1}
	tag := Tag{Site: "https://example.org/u/", Poster: "my car.png", Attributes: []Attribute{{"prompt", q.Prompt}, {"compare", ""}}, Request: q, Width: 256, Height: 128}
	html := tag.HTML()
	for _, want := range []string{
		`<undertone-demo prompt="a &#34;red&#34; &lt;b&gt;car&lt;/b&gt; [x](y) &amp; it&#39;s" compare poster="my car.png">`,
		`<img src="my car.png" width="256" height="128" alt="a &#34;red`, `&amp;seed=3&amp;steps=4`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("%s\nlacks %s", html, want)
		}
	}
	want := `[![a "red" \<b\>car\</b\> \[x\](y) \& it's](<my car.png>)](https://example.org/u/#prompt=a+%22red%22+%3Cb%3Ecar%3C/b%3E+%5Bx%5D%28y%29+%26+it%27s&seed=3&steps=4&size=256)` + "\n"
	if got := tag.Markdown(); got != want {
		t.Errorf("%s\nwanted\n%s", got, want)
	}
}

// A scale of 1 is said where the model's own is another: a link leaves it out.
func TestAttributesOff(t *testing.T) {
	d := offered(t)
	d.Defaults.CFG = 3
	q := d.Request()
	q.CFG = 1
	if got, _ := FromEmbed(hashOf(Attributes(q, d)), d); got.CFG != 1 {
		t.Errorf("the scale 1 is read as %g", got.CFG)
	}
}
