package gpu

import (
	"slices"
	"time"
)

// pace learns how much arithmetic one submit may hold, from how long submits take: with
// two of them in flight the GPU has work while the news of the first is on its way, and
// whatever comes between, as a Stop or the browser's own drawing, waits for no more than
// twice submitTime. A submit of fixed size would keep a large GPU waiting (its work done
// long before the news of it), and a small one busy for too long.
type pace struct {
	submit      float64   // most arithmetic of one, now
	least, most float64   // of submit; the same: nothing is learned
	rates       []float64 // FLOPs in a second of the last submits that were no smaller than a quarter
	last        time.Time // when the last one ended
}

const (
	submitTime  = 15 * time.Millisecond
	rememberFor = 4 // submits
)

// newPace begins with a guess.
func newPace(submit float64, fixed bool) pace {
	if fixed {
		return pace{submit: submit, least: submit, most: submit}
	}
	return pace{submit: submit, least: submit / 16, most: submit * 256}
}

// ended hears of a submit that was sent and is done; they end in their order. Operations
// differ in how fast they are: the slowest of the last counts.
func (p *pace) ended(flops float64, sent, done time.Time) {
	begin := sent
	if p.last.After(begin) {
		begin = p.last
	}
	p.last = done
	took := done.Sub(begin).Seconds()
	if p.least == p.most || flops < p.submit/4 || took <= 0 {
		return
	}
	p.rates = append(p.rates, flops/took)
	if len(p.rates) < rememberFor {
		return
	}
	p.rates = p.rates[len(p.rates)-rememberFor:]
	want := slices.Min(p.rates) * submitTime.Seconds()
	old := p.submit
	p.submit = min(max(want, old/2, p.least), old*2, p.most)
	if p.submit != old {
		p.rates = p.rates[:0] // of the wait for the news, others have another share
	}
}
