package gpu

import (
	"fmt"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
)

const (
	maxGroups      = 65_535 // workgroups per dimension, WebGPU's default and the floor
	maxParamsWords = 64
)

// step is one launch together with the operation it belongs to.
type step struct {
	Launch
	node  int     // index in the list
	flops float64 // estimated work
}

// lower turns a list into launches and holds each to the rules that WebGPU would
// otherwise refuse at run time. Errors: fault.Shape when no kernel takes the
// operation, fault.LimitExceeded when a launch is too large for the device.
func lower(l *op.List, c Caps) ([]step, error) {
	if err := l.Err(); err != nil {
		return nil, err
	}
	var steps []step
	for i, n := range undoubled(l.Nodes) {
		if n == nil {
			continue
		}
		row, ok := operations[n.Kind()]
		if !ok {
			return nil, fault.New(fault.Shape, "%s, operation %d: no kernel for %s", l.Name, i, n.Kind())
		}
		launches, err := row.lower(n, c.chosen(row.shape(n)))
		if err != nil {
			return nil, fmt.Errorf("%s, operation %d, %s: %w", l.Name, i, n.Kind(), err)
		}
		all := 0.0
		for _, launch := range launches {
			if err := check(launch, c); err != nil {
				return nil, fmt.Errorf("%s, operation %d, %s: %w", l.Name, i, n.Kind(), err)
			}
			all += launch.work()
		}
		for _, launch := range launches {
			steps = append(steps, step{launch, i, op.FLOPs(n) * launch.work() / all})
		}
	}
	return steps, nil
}

// cut makes several launches of each that has more arithmetic than limit, as even as its
// workgroups allow and of at least one of them each. What is computed, and how, does not
// depend on it.
func cut(steps []step, limit float64) (out []step) {
	for _, s := range steps {
		if s.Along == whole || s.flops <= limit {
			out = append(out, s)
			continue
		}
		axis, last := int(s.Along-alongX), len(s.Params)-1
		groups := s.Groups[axis]
		each := max(1, int(float64(groups)*limit/s.flops))
		each = op.CeilDiv(groups, op.CeilDiv(groups, each))
		for first := 0; first < groups; first += each {
			part := s
			part.Params = slices.Clone(s.Params)
			part.Params[last] += uint32(first)
			part.Groups[axis] = min(each, groups-first)
			part.flops = s.flops * float64(part.Groups[axis]) / float64(groups)
			out = append(out, part)
		}
	}
	return out
}

// check holds a launch to what the device and WebGPU itself allow.
func check(l Launch, c Caps) error {
	for _, g := range l.Groups {
		if g < 1 || g > maxGroups {
			return fault.New(fault.LimitExceeded, "%s: %d workgroups in one dimension, 1 to %d are possible", l.Kernel.File, g, maxGroups)
		}
	}
	if len(l.Params) > maxParamsWords {
		return fault.New(fault.Internal, "%s: %d words of parameters, %d are possible", l.Kernel.File, len(l.Params), maxParamsWords)
	}
	if len(l.Bind) > c.StorageBuffers {
		return fault.New(fault.LimitExceeded, "%s: %d storage buffers, the device allows %d", l.Kernel.File, len(l.Bind), c.StorageBuffers)
	}
	for i, b := range l.Bind {
		if b.Storage == nil {
			return fault.New(fault.Internal, "%s: binding %d has no storage", l.Kernel.File, i+1)
		}
		for _, o := range l.Bind[:i] {
			if o.Storage == b.Storage && o.Part == b.Part && (o.Write || b.Write) {
				return fault.New(fault.Internal, "%s: %s is bound twice, once for writing", l.Kernel.File, b.Storage.Name)
			}
		}
	}
	return nil
}
