package main

import (
	"context"
	"encoding/json"
	"time"

	"undertone/engine/gpu"
	"undertone/wasm/host"
	"undertone/wasm/promise"
	"undertone/wasm/protocol"
)

// A search for the fastest kernels takes tuneBudget in all, in pieces that requests
// interrupt, and begins when there was none for tuneIdle.
const (
	tuneBudget = 2 * time.Second
	tuneIdle   = 500 * time.Millisecond
	tuneTries  = 3 // to finish it, should one cost the tab or the device
)

// tuning is what is known of a model's fastest kernels on a GPU.
type tuning struct {
	record tuningRecord
	state  string // as in protocol
	used   bool
	tried  bool // by this program
}

// tuningRecord is what is kept of it on this machine.
type tuningRecord struct {
	Format  string      `json:"format"`
	Version int         `json:"version"`
	Key     string      `json:"key"` // of everything that the times depend on
	Done    bool        `json:"done"`
	Tries   int         `json:"tries"`
	Shapes  int         `json:"shapes"`
	Ms      float64     `json:"ms"`
	Trials  []gpu.Trial `json:"trials"`
}

const (
	tuningFormat  = "undertone-tuning"
	tuningVersion = 1
	mostTrials    = 1000
	longestName   = 200
)

// readTuning reads a record. One of another key, or that is none, tells nothing.
func readTuning(text []byte, key string) tuningRecord {
	nothing := tuningRecord{Format: tuningFormat, Version: tuningVersion, Key: key}
	var r tuningRecord
	if json.Unmarshal(text, &r) != nil || r.Format != tuningFormat || r.Version != tuningVersion || r.Key != key || len(r.Trials) > mostTrials {
		return nothing
	}
	for _, t := range r.Trials {
		if len(t.Shape) > longestName || len(t.Taken) > longestName {
			return nothing
		}
	}
	return r
}

// recallTuning has a device use what is known of it, before a model is put on it.
func (m *session) recallTuning(ctx context.Context) {
	m.tuning = nil
	d, ok := m.be.(*gpu.Device)
	if !ok || m.tune != nil && !*m.tune {
		return
	}
	d.Round(m.bundle.Manifest.Rounding)
	// Browsers do not tell the driver's version; their own comes with their compiler's.
	info := d.Info()
	key, _ := json.Marshal([]any{info.Plan, info.Adapter, info.Extra, host.Get("navigator", "userAgent").String(), m.bundle.Manifest.Revision, m.bundle.Manifest.Rounding})
	t := &tuning{state: protocol.TuningDone, record: readTuning(m.store.recallTuning(ctx, m.bundle.Manifest.Name), string(key))}
	choices := gpu.ChoicesOf(t.record.Trials)
	if t.used = len(choices) > 0; t.used {
		d.Choose(choices)
	}
	if !t.record.Done {
		t.state = protocol.TuningNone
		if m.store.writable() && t.record.Tries < tuneTries && (m.tune != nil || !info.Software) {
			t.state = protocol.TuningDue
		}
	}
	m.tuning = t
}

// tuningDue reports whether there is something to measure.
func (m *session) tuningDue() bool {
	return m.tuning != nil && m.tuning.state == protocol.TuningDue && m.engine != nil && !lost(m.be)
}

// search measures until it is done or ctx is.
func (m *session) search(ctx context.Context, tell func(protocol.TuningBody)) {
	t, r := m.tuning, &m.tuning.record
	if !t.tried {
		t.tried = true
		r.Tries++
		m.store.noteTuning(ctx, m.bundle.Manifest.Name, r)
	}
	t.state = protocol.TuningRunning
	tell(t.body())
	begin := time.Now()
	trials, of, err := m.be.(*gpu.Device).Tune(ctx, tuneBudget-time.Duration(r.Ms*1e6), r.Trials)
	r.Trials, r.Shapes = trials, of
	r.Ms += float64(time.Since(begin).Microseconds()) / 1e3
	switch {
	case err != nil:
		t.state = protocol.TuningNone
	case ctx.Err() == nil || len(trials) == of || r.Ms >= float64(tuneBudget.Milliseconds()):
		r.Done, t.state = true, protocol.TuningDone
		m.store.noteTuning(context.WithoutCancel(ctx), m.bundle.Manifest.Name, r)
	default:
		t.state = protocol.TuningDue
	}
	tell(t.body())
}

func (t *tuning) body() protocol.TuningBody {
	b := protocol.TuningBody{State: t.state, Used: t.used, Shapes: t.record.Shapes, Ms: t.record.Ms, Trials: []protocol.TrialBody{}}
	for _, trial := range t.record.Trials {
		b.Trials = append(b.Trials, protocol.TrialBody(trial))
	}
	return b
}

// recallTuning returns what was noted of a model, or nil.
func (s *store) recallTuning(ctx context.Context, name string) []byte {
	if s == nil || s.refused != nil {
		return nil
	}
	text, err := promise.Await(ctx, s.js.Call("tuning", name))
	if err != nil || !text.Truthy() {
		return nil
	}
	return []byte(text.String())
}

// noteTuning keeps it, if the browser lets it be kept.
func (s *store) noteTuning(ctx context.Context, name string, r *tuningRecord) {
	text, err := json.Marshal(r)
	if err == nil && s.writable() {
		_, _ = promise.Await(ctx, s.js.Call("noteTuning", name, string(text)))
	}
}
