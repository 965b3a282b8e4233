package gpu

import (
	"fmt"

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
	for i, n := range l.Nodes {
		row, ok := operations[n.Kind()]
		if !ok {
			return nil, fault.New(fault.Shape, "%s, operation %d: no kernel for %s", l.Name, i, n.Kind())
		}
		launches, err := row.lower(n, c)
		if err != nil {
			return nil, fmt.Errorf("%s, operation %d, %s: %w", l.Name, i, n.Kind(), err)
		}
		for _, launch := range launches {
			if err := check(launch, c); err != nil {
				return nil, fmt.Errorf("%s, operation %d, %s: %w", l.Name, i, n.Kind(), err)
			}
			steps = append(steps, step{launch, i, op.FLOPs(n) / float64(len(launches))})
		}
	}
	return steps, nil
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
