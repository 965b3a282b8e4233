package shell

import (
	"fmt"
	"strings"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// report is what a bug report should hold. It is in English whatever the page
// speaks, since it is written for those who read it.
type report struct {
	version, language, agent, screen, memory, storage string
	adapter, features, limits                         string
	state                                             *app.State
	fault                                             *app.Problem // the last one, even when it was dismissed
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
	if m := s.Model; m != nil {
		line("Model", "%s %s, %d blocks, %s", m.Model, m.Revision, m.Depth(), words.Bytes(m.Bytes))
	}
	line("Phase", "%s", [...]string{"waiting", "loading", "ready", "generating"}[s.Phase])
	if s.Loaded.Backend != "" {
		line("Device", "%s, %s, software %t, %s", s.Loaded.Backend, s.Loaded.Adapter, s.Loaded.Software, s.Loaded.Precision)
		line("Choice", "%s", s.Loaded.Choice)
		line("Plan", "%s", s.Loaded.Plan)
		if t := s.Loaded.Tuning; t.State != "" {
			line("Kernels", "%s, used %t, %d of %d shapes measured in %.0f ms, another kernel for %d", t.State, t.Used, len(t.Measured), t.Shapes, t.Ms, t.Faster)
			line("Measured", "%s", strings.Join(t.Measured, " · "))
		}
	}
	line("WebGPU", "%t", s.Device.WebGPU)
	line("Adapter", "%s", r.adapter)
	line("Features", "%s", r.features)
	line("Limits", "%s", r.limits)
	if p := s.Picture; p != nil {
		if p.File == nil {
			line("Last picture", "%s px, %.0f steps, %d directions: total %.1f ms, text %.1f, guidance %.1f, prepare %.1f, modulation %.1f, steps %.1f, decode %.1f",
				p.Recipe.Size, p.Recipe.Steps, len(p.Recipe.Acting()), p.TotalMs, p.TextMs, p.GuidanceMs, p.PrepareMs, p.ModulationMs, p.StepsMs, p.DecodeMs)
		}
		if prompt {
			line("Prompt", "%q, seed %.0f", p.Recipe.Prompt, p.Recipe.Seed)
			for _, t := range p.Recipe.Acting() {
				line("Direction", "%q, %q, weight %v, head %v, schedule %+v", t.Positive, t.Negative, t.Weight, t.Head, t.Schedule)
			}
		}
	}
	if f := r.fault; f != nil {
		message := f.Message
		if !prompt {
			message = unquoted(message)
		}
		line("Last fault", "%s: %s", f.Code, message)
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
