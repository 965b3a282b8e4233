package gpu

import (
	"context"
	"fmt"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
)

// pipelines caches what depends on kernels only; it lives as long as the device.
type pipelines struct {
	layouts map[string]*bindLayout // by access pattern
	index   map[string]uint32      // by kernel and access pattern: place in replay.pipelines
}

// bindLayout is how a kernel's bindings are declared to WebGPU.
type bindLayout struct {
	group    *wgpu.BindGroupLayout
	pipeline *wgpu.PipelineLayout
}

func (p *pipelines) init() {
	p.layouts, p.index = map[string]*bindLayout{}, map[string]uint32{}
}

// access spells which bindings of a launch are written: "rrw".
func access(l Launch) string {
	s := make([]byte, len(l.Bind))
	for i, b := range l.Bind {
		s[i] = 'r'
		if b.Write {
			s[i] = 'w'
		}
	}
	return string(s)
}

// layoutFor makes the layout of an access pattern: the uniform block at binding
// 0, then storage buffers.
func (d *Device) layoutFor(pattern string) (*bindLayout, error) {
	if l, ok := d.pipelines.layouts[pattern]; ok {
		return l, nil
	}
	entries := []wgpu.BindGroupLayoutEntry{{Binding: 0, Visibility: wgpu.ShaderStageCompute,
		Buffer: wgpu.BufferBindingLayout{Type: wgpu.BufferBindingTypeUniform}}}
	for i, c := range pattern {
		kind := wgpu.BufferBindingTypeReadOnlyStorage
		if c == 'w' {
			kind = wgpu.BufferBindingTypeStorage
		}
		entries = append(entries, wgpu.BindGroupLayoutEntry{Binding: uint32(i + 1), Visibility: wgpu.ShaderStageCompute,
			Buffer: wgpu.BufferBindingLayout{Type: kind}})
	}
	group, err := d.dev.CreateBindGroupLayout(&wgpu.BindGroupLayoutDescriptor{Entries: entries})
	if err != nil {
		return nil, err
	}
	pipeline, err := d.dev.CreatePipelineLayout(&wgpu.PipelineLayoutDescriptor{BindGroupLayouts: []*wgpu.BindGroupLayout{group}})
	if err != nil {
		return nil, err
	}
	l := &bindLayout{group, pipeline}
	d.pipelines.layouts[pattern] = l
	return l, nil
}

// building is a pipeline that the browser is compiling.
type building struct {
	key     string
	kernel  Kernel
	source  source
	module  js.Value
	promise <-chan settled
}

// prepare compiles the pipelines of launches that do not exist yet, all in
// parallel, and returns the index of each launch's pipeline. Errors:
// fault.ShaderCompile with file, line and the compiler's words.
func (d *Device) prepare(ctx context.Context, launches []Launch) ([]uint32, error) {
	keys := make([]string, len(launches))
	asked := map[string]bool{}
	var builds []building
	for i, l := range launches {
		pattern := access(l)
		key := l.Kernel.key() + "\x00" + pattern
		keys[i] = key
		if _, ok := d.pipelines.index[key]; ok || asked[key] {
			continue
		}
		asked[key] = true
		lay, err := d.layoutFor(pattern)
		if err != nil {
			return nil, err
		}
		src, err := assemble(l.Kernel)
		if err != nil {
			return nil, err
		}
		// A module with errors raises a validation error of its own, which would
		// say less than getCompilationInfo does.
		d.js.Call("pushErrorScope", "validation")
		module := d.js.Call("createShaderModule", map[string]any{"label": l.Kernel.File, "code": src.text})
		pipeline := d.js.Call("createComputePipelineAsync", map[string]any{"label": l.Kernel.File, "layout": raw(lay.pipeline),
			"compute": map[string]any{"module": module, "entryPoint": "main"}})
		promise(d.js.Call("popErrorScope"))
		builds = append(builds, building{key, l.Kernel, src, module, promise(pipeline)})
	}
	for _, b := range builds {
		if err := d.finish(ctx, b); err != nil {
			return nil, err
		}
	}
	out := make([]uint32, len(keys))
	for i, k := range keys {
		out[i] = d.pipelines.index[k]
	}
	return out, nil
}

func (d *Device) finish(ctx context.Context, b building) error {
	select {
	case s := <-b.promise:
		if s.err != nil {
			return d.compileError(ctx, b, s.err)
		}
		at := len(d.pipelines.index)
		d.pipelines.index[b.key] = uint32(at)
		d.replay.Get("pipelines").SetIndex(at, s.value)
		return nil
	case <-d.lost:
		return d.lostError()
	case <-ctx.Done():
		return aborted(ctx)
	}
}

// compileError asks the compiler what it disliked.
func (d *Device) compileError(ctx context.Context, b building, cause error) error {
	if err := d.explain(cause); fault.Is(err, fault.DeviceLost) {
		return err
	}
	info, err := d.await(ctx, b.module.Call("getCompilationInfo"))
	if err != nil {
		return err
	}
	messages := info.Get("messages")
	for i := range messages.Length() {
		m := messages.Index(i)
		if jsString(m.Get("type")) == "error" {
			return fault.New(fault.ShaderCompile, "the browser refused the kernel %s at %s, column %d: %s",
				b.kernel.File, b.source.where(m.Get("lineNum").Int()), m.Get("linePos").Int(), jsString(m.Get("message")))
		}
	}
	return fault.Wrap(cause, fault.ShaderCompile, "the browser refused the kernel %s", b.kernel.File)
}

// bind makes the bind group of a launch whose parameters lie at byte offset at of
// the uniform buffer. find maps a binding to its buffer.
func (d *Device) bind(l Launch, uniform *buffer, at int64, find func(Binding) (*buffer, error)) (js.Value, error) {
	lay, err := d.layoutFor(access(l))
	if err != nil {
		return js.Undefined(), err
	}
	entries := []wgpu.BindGroupEntry{{Binding: 0, Buffer: d.memory.owned[uniform.id], Offset: uint64(at), Size: uniformSlot}}
	for i, b := range l.Bind {
		buf, err := find(b)
		if err != nil {
			return js.Undefined(), fault.Wrap(err, fault.Of(err).Code, "%s", l.Kernel.File)
		}
		entries = append(entries, wgpu.BindGroupEntry{Binding: uint32(i + 1), Buffer: d.memory.owned[buf.id], Size: wgpu.WholeSize})
	}
	group, err := d.dev.CreateBindGroup(&wgpu.BindGroupDescriptor{Layout: lay.group, Entries: entries})
	if err != nil {
		return js.Undefined(), fmt.Errorf("%s: %w", l.Kernel.File, err)
	}
	return raw(group), nil
}
