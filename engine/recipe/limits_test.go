package recipe

import (
	"fmt"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/guidance"
)

// TestLimits holds every limit of links at its value and one past it: the value is
// taken without a word, and the next one is not.
func TestLimits(t *testing.T) {
	direction := func(s string) string { return `guidance=[{"weight":1,"schedule":` + s + `}]` }
	repeat := func(s string, n int) string { return strings.TrimSuffix(strings.Repeat(s+",", n), ",") }
	intervals := func(n int) string { // one behind the other, in a model as deep as there is
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(`{"from":%d,"to":%d,"weight":1}`, i, i+1)
		}
		return fmt.Sprintf(`{"kind":"intervals","of":%d,"intervals":[%s]}`, guidance.MaxBlocks, strings.Join(list, ","))
	}
	schedule := func(q Request) guidance.Schedule { return q.Guidance[0].Schedule }
	for _, c := range []struct {
		name     string
		at, past string
		get      func(q Request) any
		want     any
	}{
		{"prompt", "prompt=" + strings.Repeat("x", MaxPrompt), "prompt=" + strings.Repeat("x", MaxPrompt+1),
			func(q Request) any { return len(q.Prompt) }, MaxPrompt},
		{"prompt of two-byte characters", "prompt=" + strings.Repeat("é", MaxPrompt/2), "prompt=" + strings.Repeat("é", MaxPrompt/2) + "e",
			func(q Request) any { return len(q.Prompt) }, MaxPrompt},
		{"positive", `guidance=[{"weight":1,"positive":"` + strings.Repeat("x", MaxPrompt) + `"}]`, `guidance=[{"weight":1,"positive":"` + strings.Repeat("x", MaxPrompt+1) + `"}]`,
			func(q Request) any { return len(q.Guidance[0].Positive) }, MaxPrompt},
		{"seed, highest", "seed=4294967295", "seed=4294967296", func(q Request) any { return q.Seed }, uint32(4294967295)},
		{"seed, lowest", "seed=0", "seed=-1", func(q Request) any { return q.Seed }, uint32(0)},
		{"steps, most", fmt.Sprint("steps=", limits.MaxSteps), fmt.Sprint("steps=", limits.MaxSteps+1), func(q Request) any { return q.Steps }, limits.MaxSteps},
		{"steps, fewest", "steps=1", "steps=0", func(q Request) any { return q.Steps }, 1},
		{"size, largest", "size=256", "size=257", func(q Request) any { return q.Size }, Square(256)},
		{"size, smallest", "size=128", "size=127", func(q Request) any { return q.Size }, Square(128)},
		{"size, width", "size=192x96", "size=193x96", func(q Request) any { return q.Size }, wide},
		{"size, height", "size=192x96", "size=192x97", func(q Request) any { return q.Size }, wide},
		{"cfg, highest", fmt.Sprint("cfg=", MaxCFG), fmt.Sprintf("cfg=%d.001", MaxCFG), func(q Request) any { return q.CFG }, float64(MaxCFG)},
		{"cfg, lowest", "cfg=0", "cfg=-0.001", func(q Request) any { return q.CFG }, 0.0},
		{"directions", "guidance=[" + repeat(`{"weight":1}`, MaxTerms) + "]", "guidance=[" + repeat(`{"weight":1}`, MaxTerms+1) + "]",
			func(q Request) any { return len(q.Guidance) }, MaxTerms},
		{"weight, highest", `guidance=[{"weight":20}]`, `guidance=[{"weight":20.001}]`, func(q Request) any { return q.Guidance[0].Weight }, 20.0},
		{"weight, lowest", `guidance=[{"weight":-20}]`, `guidance=[{"weight":-20.001}]`, func(q Request) any { return q.Guidance[0].Weight }, -20.0},
		{"head", `guidance=[{"weight":1,"head":20}]`, `guidance=[{"weight":1,"head":20.001}]`, func(q Request) any { return q.Guidance[0].Head }, 20.0},
		{"start", direction(`{"kind":"step","start":7}`), direction(`{"kind":"step","start":8}`), func(q Request) any { return schedule(q).Start }, 7},
		{"start of another depth", direction(`{"kind":"step","start":56,"of":57}`), direction(`{"kind":"step","start":57,"of":57}`),
			func(q Request) any { return schedule(q).Start }, 56},
		{"end", direction(`{"kind":"window","start":7,"end":7}`), direction(`{"kind":"window","start":7,"end":8}`), func(q Request) any { return schedule(q).End }, 7},
		{"of", direction(`{"kind":"step","start":1,"of":1000}`), direction(`{"kind":"step","start":1,"of":1001}`), func(q Request) any { return schedule(q).Of }, guidance.MaxBlocks},
		{"center", direction(`{"kind":"bumps","centers":[7],"width":1}`), direction(`{"kind":"bumps","centers":[7.001],"width":1}`),
			func(q Request) any { return schedule(q).Centers[0] }, 7.0},
		{"centers", direction(`{"kind":"bumps","width":1,"centers":[` + repeat("1", guidance.MaxBlocks) + "]}"), direction(`{"kind":"bumps","width":1,"centers":[` + repeat("1", guidance.MaxBlocks+1) + "]}"),
			func(q Request) any { return len(schedule(q).Centers) }, guidance.MaxBlocks},
		{"width", direction(`{"kind":"bumps","centers":[1],"width":1000}`), direction(`{"kind":"bumps","centers":[1],"width":1000.001}`),
			func(q Request) any { return schedule(q).Width }, 1000.0},
		{"intervals", direction(intervals(guidance.MaxBlocks)), direction(intervals(guidance.MaxBlocks + 1)),
			func(q Request) any { return len(schedule(q).Intervals) }, guidance.MaxBlocks},
		{"interval's end", direction(`{"kind":"intervals","intervals":[{"from":7,"to":8,"weight":1}]}`), direction(`{"kind":"intervals","intervals":[{"from":7,"to":9,"weight":1}]}`),
			func(q Request) any { return schedule(q).Intervals[0].To }, 8},
		{"table's factor", direction(`{"kind":"table","table":[20,0,0,0,0,0,0,0]}`), direction(`{"kind":"table","table":[20.001,0,0,0,0,0,0,0]}`),
			func(q Request) any { return schedule(q).Table[0] }, 20.0},
	} {
		for hash, words := range map[string]int{c.at: 0, c.past: 1} {
			q, notices, ok := FromHash("#"+hash, base, limits)
			if !ok || len(notices) != words {
				t.Errorf("%s: %d notices, wanted %d: %v", c.name, len(notices), words, notices)
				continue
			}
			if got := c.get(q); got != c.want {
				t.Errorf("%s: %.60s gives %v, wanted %v", c.name, hash, got, c.want)
			}
			valid(t, q)
		}
	}
}

// TestSizeLimits holds the limits of what is read at all.
func TestSizeLimits(t *testing.T) {
	for n, taken := range map[int]bool{MaxHash: true, MaxHash + 1: false} {
		hash := "seed=9&prompt="
		hash += strings.Repeat("x", n-len(hash))
		if q, _, _ := FromHash(hash, base, limits); (q.Seed == 9) != taken {
			t.Errorf("a hash of %d bytes gives the seed %d", n, q.Seed)
		}
	}
	document := func(n int) string { return `{"seed":9` + strings.Repeat(" ", n-10) + `}` }
	for n, taken := range map[int]bool{MaxJSON: true, MaxJSON + 1: false} {
		for name, file := range map[string][]byte{
			"plain":      withChunk(smallPNG(t), "iTXt", string(begin)+document(n), false),
			"compressed": withChunk(smallPNG(t), "zTXt", Keyword+"\x00\x00"+deflated(document(n)), false),
		} {
			p, _, err := FromPNG(file, base, limits, inflated)
			if (err == nil) != taken || (p.Seed == 9) != taken || err != nil && (!fault.Is(err, fault.PictureInvalid) || !strings.Contains(err.Error(), fmt.Sprint(MaxJSON))) {
				t.Errorf("%s parameters of %d bytes: seed %d, %v", name, n, p.Seed, err)
			}
		}
	}
	short := strings.Repeat("é", 40)
	for given, want := range map[string]string{short: short, short + "é": short + "…"} {
		if _, notices, _ := FromHash("#seed="+given, base, limits); len(notices) != 1 || notices[0].Given != want {
			t.Errorf("of %q a notice keeps %v", given, notices)
		}
	}
}
