package recipe

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"undertone/guidance"
)

var (
	wide   = Size{Width: 192, Height: 96}
	limits = Limits{MaxSteps: 50, Sizes: []Size{Square(128), Square(256), wide, {Width: 96, Height: 192}, {Width: 192, Height: 384}}, Blocks: 8}
	base   = Request{Prompt: "a frog", Seed: 3, Steps: 4, Size: Square(256), CFG: 1}
)

// rich is a request that uses everything.
var rich = Request{
	Prompt: "twò cats & a=\"dog\" #1 + 50% 画\n<b>", Seed: math.MaxUint32, Steps: 7, Size: Square(128), CFG: 3.5, GuidanceRows: guidance.RowsSigned,
	Ablate: &Ablation{Pooled: PooledOfPrompt, Prompt: "a \"cat\" & #2", Tokens: TokensEmpty},
	Guidance: []Term{
		{Positive: "ultra-detailed", Negative: "flat", Weight: -2.25, Head: 0.5, Schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}},
		{Positive: "a", Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}},
		{Weight: 3, Schedule: guidance.Schedule{Kind: "window", Start: 0, End: 3}},
		{Weight: 1.5, Schedule: guidance.Schedule{Kind: "bumps", Of: 57, Centers: []float64{20, 50}, Width: 4.5}},
		{Weight: 2, Schedule: guidance.Schedule{Kind: "intervals", Intervals: []guidance.Interval{{From: 0, To: 2, Weight: 1}, {From: 5, To: 8, Weight: -0.5}}}},
		{Weight: 1, Schedule: guidance.Schedule{Kind: "table", Table: []float64{0, 0.1, -0.2, 1, 2, 3, 4, 5}}},
	},
}

func TestHashThereAndBack(t *testing.T) {
	for _, q := range []Request{base, rich, {Size: Square(128), Steps: 1, CFG: 1}, {Size: wide, Steps: 1, CFG: 1}} {
		hash := Hash(q)
		if i := strings.IndexFunc(hash, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>{}[]`|^\\", c) }); i >= 0 {
			t.Errorf("%q is not the hash of an address at %d", hash, i)
		}
		got, notices, ok := FromHash(hash, base, limits)
		if !ok || len(notices) != 0 || !reflect.DeepEqual(got, q) {
			t.Errorf("%s\ngave %+v, notices %v,\nwanted %+v", hash, got, notices, q)
		}
	}
	oblong := base
	oblong.Size = wide
	for want, q := range map[string]Request{"#prompt=a+frog&seed=3&steps=4&size=256": base, "#prompt=a+frog&seed=3&steps=4&size=192x96": oblong} {
		if got := Hash(q); got != want {
			t.Errorf("the hash is %s, wanted %s", got, want)
		}
	}
}

func TestHashWithoutParameters(t *testing.T) {
	for _, hash := range []string{"", "#", "#panel", "#a=b", "#=", "#&&"} {
		if got, _, ok := FromHash(hash, base, limits); ok || !reflect.DeepEqual(got, base) {
			t.Errorf("%q was taken for parameters: %+v", hash, got)
		}
	}
}

// with returns base with a change.
func with(change func(q *Request)) Request { q := base; change(&q); return q }

// guided returns base with one direction; the schedule's kind may be left out.
func guided(t Term) Request {
	if t.Schedule.Kind == "" {
		t.Schedule.Kind = "constant"
	}
	return with(func(q *Request) { q.Guidance = []Term{t} })
}

var clamped = []struct {
	hash string
	want Request
	said []Notice
}{
	{"seed=-1", with(func(q *Request) { q.Seed = 0 }), []Notice{{FieldSeed, "-1", "0"}}},
	{"seed=1e400", with(func(q *Request) { q.Seed = math.MaxUint32 }), []Notice{{FieldSeed, numeral(math.MaxFloat64), "4294967295"}}},
	{"seed=3.7", with(func(q *Request) { q.Seed = 4 }), []Notice{{FieldSeed, "3.7", "4"}}},
	{"seed=NaN", base, []Notice{{FieldSeed, "NaN", ""}}},
	{"seed=0x10", base, []Notice{{FieldSeed, "0x10", ""}}},
	{"seed=", base, []Notice{{FieldSeed, "", ""}}},
	{"seed=5&seed=6", with(func(q *Request) { q.Seed = 5 }), []Notice{{FieldSeed, "6", ""}}},
	{"steps=999", with(func(q *Request) { q.Steps = 50 }), []Notice{{FieldSteps, "999", "50"}}},
	{"size=100000", base, []Notice{{FieldSize, "100000", "256"}}},
	{"cfg=-3", with(func(q *Request) { q.CFG = 0 }), []Notice{{FieldCFG, "-3", "0"}}},
	{"prompt=a%00b%ff", with(func(q *Request) { q.Prompt = "ab\uFFFD" }), []Notice{{FieldPrompt, "a\x00b\uFFFD", "ab\uFFFD"}}},
	{"prompt=100%25%2&seed=3", with(func(q *Request) { q.Prompt = "100%%2" }), nil},
	{"seed=3&utm_source=x", base, []Notice{{FieldLink, "utm_source", ""}}},
	{"guidance=nonsense", base, []Notice{{FieldGuidance, "nonsense", ""}}},
	{`guidance={"weight":1}`, base, []Notice{{FieldGuidance, `{"weight":1}`, ""}}},
	{`guidance=[{"weight":"1"}]`, guided(Term{}), []Notice{{FieldWeight, `"1"`, "0"}}},
	{`guidance=[{"weight":null}]`, guided(Term{}), []Notice{{FieldWeight, "null", "0"}}},
	{`guidance=[{"weight":1,"colour":2}]`, guided(Term{Weight: 1}), []Notice{{FieldDirection, "colour: 2", ""}}},
	{`guidance=[{"weight":1,"Weight":2}]`, guided(Term{Weight: 1}), []Notice{{FieldDirection, "Weight: 2", ""}}},
	{`guidance=[5,{"weight":1,"positive":5,"negative":"a"},null]`, guided(Term{Weight: 1, Negative: "a"}),
		[]Notice{{FieldDirection, "5", ""}, {FieldDirection, "5", ""}, {FieldDirection, "null", ""}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"step","start":3,"phase":[1]}}]`, guided(Term{Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 3}}),
		[]Notice{{FieldSchedule, "phase: [1]", ""}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"intervals","intervals":[{"from":1,"to":2,"weight":3,"ease":4}]}}]`,
		guided(Term{Weight: 1, Schedule: guidance.Schedule{Kind: "intervals", Intervals: []guidance.Interval{{From: 1, To: 2, Weight: 3}}}}),
		[]Notice{{FieldSchedule, "ease: 4", ""}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"step","start":"x"}}]`, guided(Term{Weight: 1}), []Notice{{FieldSchedule, `{"kind":"step","start":"x"}`, "constant"}}},
	{`guidance=[{"weight":1,"schedule":7}]`, guided(Term{Weight: 1}), []Notice{{FieldSchedule, "7", "constant"}}},
	{`guidance=[{"weight":1,"schedule":null}]`, guided(Term{Weight: 1}), nil},
	{`guidance=[{"weight":1,"a":1,"b":1},{"weight":1,"c":1,"d":1}]&e=1`, with(func(q *Request) {
		one := Term{Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}}
		q.Guidance = []Term{one, one}
	}), []Notice{{FieldLink, "e", ""}, {FieldDirection, "a: 1", ""}, {FieldDirection, "b: 1", ""}}},
	{"guidanceRows=cond", with(func(q *Request) { q.GuidanceRows = guidance.RowsCond }), nil},
	{"guidanceRows=signed).", with(func(q *Request) { q.GuidanceRows = guidance.RowsSigned }), nil},
	{"guidanceRows=both", with(func(q *Request) { q.GuidanceRows = guidance.RowsBoth }), nil},
	{"guidanceRows=", base, []Notice{{FieldRows, "", ""}}},
	{"guidanceRows=Cond", base, []Notice{{FieldRows, "Cond", ""}}},
	{"guidanceRows=cond1", base, []Notice{{FieldRows, "cond1", ""}}},
	{`ablate={"pooled":"zero"}`, with(func(q *Request) { q.Ablate = &Ablation{Pooled: PooledZero} }), nil},
	{`ablate={"pooled":"prompt","prompt":"a+cat","tokens":"empty"}`, with(func(q *Request) {
		q.Ablate = &Ablation{Pooled: PooledOfPrompt, Prompt: "a cat", Tokens: TokensEmpty}
	}), nil},
	{`ablate={"tokens":"empty"}).`, with(func(q *Request) { q.Ablate = &Ablation{Tokens: TokensEmpty} }), nil},
	{"ablate={}", base, nil},
	{"ablate=", base, []Notice{{FieldAblate, "", ""}}},
	{`ablate={"pooled":"half"}`, base, []Notice{{FieldAblate, `{"pooled":"half"}`, ""}}},
	{`ablate={"pooled":"zero","prompt":"a"}`, base, []Notice{{FieldAblate, `{"pooled":"zero","prompt":"a"}`, ""}}},
	{`ablate={"tokens":5}`, base, []Notice{{FieldAblate, `{"tokens":5}`, ""}}},
	{`guidance=[{"weight":1}]x`, guided(Term{Weight: 1}), []Notice{{FieldGuidance, "x", ""}}},
	{"size=128?fbclid=abc", with(func(q *Request) { q.Size = Square(128) }), []Notice{{FieldSize, "?fbclid=abc", ""}}},
	{"size=128px", base, []Notice{{FieldSize, "128px", ""}}},
	{"size=192x96", with(func(q *Request) { q.Size = wide }), nil},
	{"size=[192,96]", with(func(q *Request) { q.Size = wide }), nil},
	{"size=128x128", with(func(q *Request) { q.Size = Square(128) }), nil},
	{"size=192x96?fbclid=abc", with(func(q *Request) { q.Size = wide }), []Notice{{FieldSize, "?fbclid=abc", ""}}},
	{"size=1024x512", with(func(q *Request) { q.Size = wide }), []Notice{{FieldSize, "1024x512", "192x96"}}}, // the shape counts first,
	{"size=100x199", with(func(q *Request) { q.Size = limits.Sizes[3] }), []Notice{{FieldSize, "100x199", "96x192"}}},
	{"size=300x600", with(func(q *Request) { q.Size = limits.Sizes[4] }), []Notice{{FieldSize, "300x600", "192x384"}}}, // then the sides
	{"size=250x260", base, []Notice{{FieldSize, "250x260", "256"}}},
	{"size=0x0", with(func(q *Request) { q.Size = Square(128) }), []Notice{{FieldSize, "0", "128"}}},
	{"size=-256x128", with(func(q *Request) { q.Size = Square(128) }), []Notice{{FieldSize, "-256x128", "128"}}},
	{"size=192x", base, []Notice{{FieldSize, "192x", ""}}},
	{"size=x96", base, []Notice{{FieldSize, "x96", ""}}},
	{"size=192x96x48", with(func(q *Request) { q.Size = wide }), []Notice{{FieldSize, "192x96x48", "192x96"}}}, // no videos here
	{"size=192x96x48x2", base, []Notice{{FieldSize, "192x96x48x2", ""}}},
	{"size=192x96px", base, []Notice{{FieldSize, "192x96px", ""}}},
	{"size=[192]", base, []Notice{{FieldSize, "[192]", ""}}},
	{"size=[192,96,48]", with(func(q *Request) { q.Size = wide }), []Notice{{FieldSize, "192x96x48", "192x96"}}},
	{"size=[192,96,48,2]", base, []Notice{{FieldSize, "[192,96,48,2]", ""}}},
	{`guidance=[{"weight":1e9,"head":-1e999}]`, guided(Term{Weight: 20, Head: -20}), []Notice{{FieldWeight, "1000000000", "20"}, {FieldWeight, numeral(-math.MaxFloat64), "-20"}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"spiral"}}]`, guided(Term{Weight: 1}), []Notice{{FieldSchedule, "spiral", "constant"}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"step","start":99}}]`, guided(Term{Weight: 1, Schedule: guidance.Schedule{Kind: "step", Start: 7}}),
		[]Notice{{FieldSchedule, "99", "7"}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"window","start":5,"end":2}}]`, guided(Term{Weight: 1, Schedule: guidance.Schedule{Kind: "window", Start: 5, End: 5}}),
		[]Notice{{FieldSchedule, "2", "5"}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"table","table":[1,2]}}]`, guided(Term{Weight: 1}), []Notice{{FieldSchedule, "table", "constant"}}},
	{`guidance=[{"weight":1,"schedule":{"kind":"bumps","width":-4}}]`, guided(Term{Weight: 1, Schedule: guidance.Schedule{Kind: "bumps"}}),
		[]Notice{{FieldSchedule, "-4", "0"}}},
}

// What is wrong is clamped or left out, and a notice tells of it.
func TestHashClamps(t *testing.T) {
	for _, c := range clamped {
		for i := range c.said {
			c.said[i].Given = strings.ReplaceAll(c.said[i].Given, "%2B", "+")
			c.said[i].Given = short(c.said[i].Given)
		}
		got, said, ok := FromHash("#"+c.hash, base, limits)
		took := time.Hour // the best of three: another process may have the processor
		for range 3 {
			start := time.Now()
			FromHash("#"+c.hash, base, limits)
			took = min(took, time.Since(start))
		}
		if took > 10*time.Millisecond {
			t.Errorf("%s took %v, at most 10 ms are allowed", c.hash, took)
		}
		if !ok || !reflect.DeepEqual(got, c.want) || !slices.Equal(said, c.said) {
			t.Errorf("%s\ngave   %+v %q\nwanted %+v %q", c.hash, got, said, c.want, c.said)
		}
	}
}

func TestHashCaps(t *testing.T) {
	got, said, ok := FromHash("#prompt="+strings.Repeat("x", MaxHash), base, limits)
	if !ok || !reflect.DeepEqual(got, base) || len(said) != 1 || said[0].Field != FieldLink {
		t.Errorf("a hash over the limit gave %.60v, %v", got, said)
	}
	got, said, _ = FromHash("#prompt="+strings.Repeat("画", 2000), base, limits)
	if len(got.Prompt) != 4095 || len(said) != 1 || said[0].Field != FieldPrompt {
		t.Errorf("a long prompt has %d bytes, notices %v", len(got.Prompt), said)
	}
	got, said, _ = FromHash("#guidance=["+strings.Repeat(`{"weight":1},`, 11)+`{"weight":2}]`, base, limits)
	if len(got.Guidance) != MaxTerms || !slices.Equal(said, []Notice{{FieldGuidance, "12", "8"}}) {
		t.Errorf("12 directions gave %d, %v", len(got.Guidance), said)
	}
	_, said, _ = FromHash("#seed=1"+strings.Repeat("&x=1", 5000), base, limits)
	if len(said) != 3 {
		t.Errorf("5000 unknown keys gave %d notices", len(said))
	}
}

// Every request that comes out of a hash is one that the engine accepts.
func FuzzHash(f *testing.F) {
	for _, s := range []string{Hash(rich), Hash(base), "#seed=1e400&guidance=[{\"weight\":-1e400}]", "#guidance=%5B%7B%22weight%22:1,%22schedule%22:%7B%22kind%22:%22intervals%22,%22intervals%22:%5B%7B%22from%22:3,%22to%22:1,%22weight%22:99%7D%5D%7D%7D%5D",
		Hash(rich) + "&gt;.", "#guidanceRows=cond&guidanceRows=both", "#guidanceRows=\"cond\"", "#size=192x96", "#size=[1e9,-5]", "#size=0x1e400.", "#seed=7&amp;size=128?x=1&guidance=[5,{\"weight\":\"1\",\"a\":1,\"schedule\":{\"kind\":\"step\",\"b\":2}}])."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		q, notices, ok := FromHash(hash, base, limits)
		if !ok && !reflect.DeepEqual(q, base) {
			t.Fatalf("%q holds nothing, but gave %+v", hash, q)
		}
		valid(t, q)
		for _, n := range notices {
			if len(n.Given) > 200 || len(n.Used) > 200 {
				t.Fatalf("a notice of %d and %d bytes", len(n.Given), len(n.Used))
			}
		}
		if again, notices, _ := FromHash(Hash(q), base, limits); len(notices) != 0 || !same(again, q) {
			t.Fatalf("%+v became %+v (%v)", q, again, notices)
		}
	})
}

// What is written has every field that the guidance has, under the same name.
func TestScheduleFields(t *testing.T) {
	names := func(x any) (list []string) {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(x)) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			list = append(list, f.Name+" "+key)
		}
		return list
	}
	if got, want := names(schedule{}), names(guidance.Schedule{}); !slices.Equal(got, want) {
		t.Errorf("a schedule is written with %v, guidance has %v", got, want)
	}
	if got, want := names(interval{}), names(guidance.Interval{}); !slices.Equal(got, want) {
		t.Errorf("an interval is written with %v, guidance has %v", got, want)
	}
}
