package gpu

import (
	"context"
	"slices"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Timing is what one launch of a program took on the GPU.
type Timing struct {
	Kind   op.Kind
	Kernel string // the file in shaders/
	Groups [3]int
	Flops  float64 // estimated
	Time   time.Duration
}

// Profile runs the program once with a timestamp around each launch. The sum is
// longer than a Run takes, because the launches cannot overlap. Errors:
// fault.LimitExceeded without the feature timestamp-query.
func (p *Program) Profile(ctx context.Context) (out []Timing, err error) {
	d := p.d
	defer d.guard(&err)
	if err := d.Sync(ctx); err != nil {
		return nil, err
	}
	if !slices.Contains(d.info.Features, "timestamp-query") {
		return nil, fault.New(fault.LimitExceeded, "this device has no timestamps")
	}
	times, err := d.await(ctx, d.replay.Call("profile", p.js))
	if err != nil {
		return nil, err
	}
	for i, s := range p.steps {
		out = append(out, Timing{p.list.Nodes[s.node].Kind(), s.Kernel.File, s.Groups, s.flops, time.Duration(times.Index(i).Float())})
	}
	return out, nil
}
