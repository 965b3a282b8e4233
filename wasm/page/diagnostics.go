package page

import (
	"fmt"
	"strings"
)

// report is what a bug report should hold. It is in English whatever the page
// speaks, since it is written for those who read it.
type report struct {
	version, language, agent, screen, memory, storage string
	adapter, features, limits                         string
	state                                             *state
}

// text writes the report. The prompt, and whatever could hold words of it, is in
// it only when asked for.
func (r report) text(prompt bool) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		if value := fmt.Sprintf(format, args...); value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	s := r.state
	line("Undertone", "%s", r.version)
	line("Browser", "%s", r.agent)
	line("Language", "%s", r.language)
	line("Screen", "%s", r.screen)
	line("Memory", "%s", r.memory)
	line("Storage", "%s", r.storage)
	if m := s.model; m != nil {
		line("Model", "%s %s, %d blocks, %s", m.Model, m.Revision, m.blocks(), bytesText(m.Bytes))
	}
	line("Phase", "%s", [...]string{"waiting", "loading", "ready", "generating"}[s.phase])
	if s.info.Backend != "" {
		line("Device", "%s, %s, software %t, %s", s.info.Backend, s.info.Adapter, s.info.Software, s.info.Precision)
		line("Plan", "%s", s.info.Plan)
	}
	line("WebGPU", "%t", s.device.webgpu)
	line("Adapter", "%s", r.adapter)
	line("Features", "%s", r.features)
	line("Limits", "%s", r.limits)
	if p := s.picture; p != nil {
		if p.file == nil {
			line("Last picture", "%s px, %.0f steps, %d directions: total %.1f ms, text %.1f, guidance %.1f, prepare %.1f, modulation %.1f, steps %.1f, decode %.1f",
				p.recipe.size, p.recipe.steps, len(p.recipe.acting()), p.TotalMs, p.TextMs, p.GuidanceMs, p.PrepareMs, p.ModulationMs, p.StepsMs, p.DecodeMs)
		}
		if prompt {
			line("Prompt", "%q, seed %.0f", p.recipe.prompt, p.recipe.seed)
			for _, t := range p.recipe.acting() {
				line("Direction", "%q, %q, weight %v, head %v, schedule %+v", t.positive, t.negative, t.weight, t.head, t.schedule)
			}
		}
	}
	if f := s.panes.fault; f != nil {
		message := f.message
		if !prompt {
			message = unquoted(message)
		}
		line("Last fault", "%s: %s", f.code, message)
	}
	return b.String()
}

// unquoted takes what stands in quotation marks out of a message: it may be what
// somebody typed.
func unquoted(s string) string {
	parts := strings.Split(s, `"`)
	for i := range parts {
		if i%2 == 1 {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, `"`)
}
