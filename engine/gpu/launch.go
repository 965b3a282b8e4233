package gpu

import "undertone/engine/op"

// Caps is what the kernels may count on: what the device was granted, not what
// the adapter could do.
type Caps struct {
	F16            bool // shader-f16
	Dot4           bool // WGSL has packed_4x8_integer_dot_product
	Subgroups      bool // subgroups, with sizes SubgroupMin … SubgroupMax
	SubgroupMin    int
	SubgroupMax    int
	CPU            bool // a software adapter, where barriers and shared memory are slow
	StorageBuffers int  // maxStorageBuffersPerShaderStage
	SharedBytes    int  // maxComputeWorkgroupStorageSize
	Invocations    int  // maxComputeInvocationsPerWorkgroup
	MaxBinding     int64
	MaxBuffer      int64
	Matrices       []Matrix // that subgroups multiply; none unless the device was asked for them
	Bits           int      // to how few bits operands of products may be rounded: 16 or 8; 0: not at all
	Prefer         string   // the variant taken before all others where it fits; "": none
	Choices        Choices  // and by the shape of the operation, where Prefer is ""
}

// PortableFloor is a device requested without any limit or feature.
var PortableFloor = Caps{StorageBuffers: 8, SharedBytes: 16 << 10, Invocations: 256, MaxBinding: op.PortableBinding, MaxBuffer: op.PortableBuffer}

// Kernel names a shader and its variant. The WGSL given to WebGPU is the plain
// concatenation of Enables, the shaders/lib files, the prelude and the file.
// Two equal Kernels share one pipeline.
type Kernel struct {
	File    string   // in shaders/, without .wgsl
	Libs    []string // in shaders/lib/, without .wgsl
	Prelude string   // constants and aliases of this variant
	Enables []string // "f16", "subgroups", "chromium_experimental_subgroup_matrix"
}

// Binding is one storage buffer of a launch, at @group(0) @binding(i+1) where i
// is its place in Launch.Bind. Binding 0 is the uniform block of Params.
type Binding struct {
	Storage *op.Storage
	Part    int  // which buffer of the storage: 0 is the elements; quantized weights have more (see weight.go)
	Write   bool // bound as read_write
}

// Launch is one dispatch. Params is the uniform block, at most 64 words
// (declared in WGSL as a struct of u32, i32 and f32 members in this order);
// offsets and strides of views travel in it, buffers are always bound whole.
type Launch struct {
	Kernel Kernel
	Bind   []Binding
	Params []uint32
	Groups [3]int // each ≤ 65,535
	// Along is the dimension of Groups along which the launch may be cut into several, each
	// of which does the work of some of the groups (see cut). The last of Params is then the
	// number of the first of them.
	Along along
	// Light launches have next to none of the operation's arithmetic, which is the others'.
	Light bool
}

// work is what a launch counts among those of one operation: its workgroups.
func (l Launch) work() float64 {
	if l.Light {
		return 0
	}
	return float64(l.Groups[0]) * float64(l.Groups[1]) * float64(l.Groups[2])
}

// along is a dimension of workgroups.
type along uint8

const (
	whole along = iota // may not be cut
	alongX
	alongY
)
