package app

import (
	"fmt"

	"undertone/wasm/page/words"
)

// Problem is a fault as people see it.
type Problem struct {
	Code, Message, Advice string
	Reason                string // what else the engine says, for the details
	OfSite                bool   // the fault is in what the site has put there
	Translated            bool   // message and advice are in the page's language
}

// FileError is a fault that the page itself found in a file or a drop, as a sentence in
// its language.
type FileError string

func (e FileError) Error() string { return string(e) }

// Texts are what happened, what to do about it, and what is only of use in a report. The
// engine speaks English: where the page's language has words of its own for the fault,
// the engine's sentence, which has the numbers, stands among the details.
func (p *Problem) Texts() (what, advice, detail string) {
	detail = fmt.Sprintf(words.Text.Code, p.Code)
	if what, ok := words.Text.SiteFaults[p.Code]; ok && p.OfSite {
		return what, words.Text.FaultOfSite, detail + " · " + words.Join(p.Message, p.Advice)
	}
	if ours, ok := words.Text.Faults[p.Code]; ok && !p.Translated {
		return ours.What, ours.Advice, detail + " · " + p.Message
	}
	if p.Reason != "" {
		detail += " · " + p.Reason
	}
	return p.Message, p.Advice, detail
}

// Ended reports whether the model has to be loaded again after the fault.
func (p *Problem) Ended() bool { return p.Reloads() || p.Code == "closed" }

// Reloads reports whether loading the page anew helps after the fault. After gpu-gone
// it does not: Chromium gives the GPU back to the browser's own reload button only.
func (p *Problem) Reloads() bool {
	return p.Code == "worker-failed" || p.Code == "protocol-mismatch"
}
