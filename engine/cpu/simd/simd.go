package simd

// Kernel is one of the modules' functions. What their arguments are, the texts tell.
type Kernel int

// The kernels, in the files product, weights, softmax, norms, rows and winograd.
const (
	Product Kernel = iota
	Conv3x3
	UnpackF16
	UnpackBF16
	UnpackQ8_0
	UnpackQ4_0
	DecodeQ4_K
	DecodeQ5_K
	DecodeQ6_K
	Pack
	Softmax
	Norm
	ColumnSums
	ColumnNorm
	Activation
	Add
	Multiply
	Mix
	Euler
	Upsample
	RGBA
	Heads
	WinogradInput
	WinogradWeights
	WinogradProducts
	WinogradOutput
	kernels
)

var names = [kernels]string{"product", "conv3x3", "unpack_f16", "unpack_bf16", "unpack_q8_0", "unpack_q4_0",
	"decode_q4_k", "decode_q5_k", "decode_q6_k", "pack",
	"softmax", "norm", "column_sums", "column_norm", "activation", "add", "multiply", "mix", "euler", "upsample", "rgba", "heads",
	"winograd_input", "winograd_weights", "winograd_products", "winograd_output"}

func (k Kernel) String() string { return names[k] }
