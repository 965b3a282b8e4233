package page

import (
	"fmt"
	"strings"

	carried "undertone/engine/recipe"
)

// limits are what recipes from elsewhere are brought into.
func (m *model) limits() carried.Limits {
	return carried.Limits{MaxSteps: m.MaxSteps, Sizes: m.Sizes, Blocks: m.blocks()}
}

// base is what a link leaves out: the model's own values, without guidance.
func (m *model) base() carried.Request { return newForm(m).plain().carried() }

// carried is the recipe as links hold it. It is that of a finished picture, so
// its numbers are in range.
func (r recipe) carried() carried.Request {
	q := carried.Request{Prompt: r.prompt, Seed: uint32(r.seed), Steps: int(r.steps), Size: r.size, CFG: r.cfg}
	for _, t := range r.acting() {
		q.Guidance = append(q.Guidance, carried.Term{Positive: t.positive, Negative: t.negative, Weight: t.weight, Head: t.head, Schedule: t.schedule})
	}
	return q
}

// recipeOf is a request as the form holds it. A direction with a preset's words is
// that preset's.
func (m *model) recipeOf(q carried.Request) recipe {
	r := recipe{prompt: q.Prompt, seed: float64(q.Seed), steps: float64(q.Steps), size: q.Size, cfg: q.CFG}
	for _, g := range q.Guidance {
		t := term{positive: g.Positive, negative: g.Negative, weight: g.Weight, head: g.Head, schedule: g.Schedule}
		for _, p := range m.presets {
			if p.positive == t.positive && p.negative == t.negative {
				t.preset = p.term.preset
				break
			}
		}
		r.terms = append(r.terms, t)
	}
	return r
}

// noticesText says which values of a link or a file were not taken as they were.
func noticesText(list []carried.Notice) string {
	names := map[carried.Field]string{
		carried.FieldPrompt: say.FieldPrompt, carried.FieldSeed: say.Seed, carried.FieldSteps: say.Steps, carried.FieldSize: say.Size, carried.FieldCFG: "CFG",
		carried.FieldGuidance: say.Guidance, carried.FieldDirection: say.FieldDirection, carried.FieldWeight: say.Weight, carried.FieldSchedule: say.Schedule,
		carried.FieldLink: say.FieldLink,
	}
	const most = 4 // more than that nobody reads
	var parts []string
	for i, n := range list {
		if i == most {
			parts = append(parts, "…")
			break
		}
		if n.Used == "" {
			parts = append(parts, fmt.Sprintf(say.NoticeLeft, names[n.Field], n.Given))
		} else {
			parts = append(parts, fmt.Sprintf(say.NoticeClamped, names[n.Field], n.Given, n.Used))
		}
	}
	return strings.Join(parts, " ")
}

// linkIn finds the hash of a link of ours in pasted or dropped text: the text is
// one address, of whatever site, and nothing is ever fetched from it.
func linkIn(text string) (hash string, ok bool) {
	text = strings.TrimSpace(text)
	address, hash, found := strings.Cut(text, "#")
	if !found || strings.ContainsAny(text, " \n\t") || address != "" && !strings.Contains(address, "://") {
		return "", false
	}
	for _, key := range []carried.Field{carried.FieldPrompt, carried.FieldSeed, carried.FieldSteps, carried.FieldSize, carried.FieldCFG, carried.FieldGuidance} {
		if strings.HasPrefix(hash, string(key)+"=") {
			return "#" + hash, true
		}
	}
	return "", false
}
