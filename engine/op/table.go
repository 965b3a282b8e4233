package op

// Kind names an operation.
type Kind uint8

// The operations, named as the field names them.
const (
	MatMul Kind = iota
	Attention
	LayerNorm
	QKNormRoPE
	Activation
	Add
	CFG
	Euler
	Embedding
	Conv3x3
	Upsample
	Patchify
	Unpatchify
	ToRGBA
	Copied
	RMSNorm
	GroupMoments
	GroupNorm
	Rotary
	Gated
	RelativeBias
	Unfold
	Route
	Gather
	ScatterAdd
	kinds
)

// Tolerance bounds the difference between a machine and the float64 truth of
// engine/cpu for one operation: for every element,
//
//	|got − want| ≤ Abs·scale + Rel·|want|,   scale = the root mean square of want
//
// so that outliers elsewhere in the tensor do not hide an error, and values near
// zero are not asked for more digits than their neighbours have.
type Tolerance struct{ Rel, Abs float64 }

// row is what is known of an operation beside its struct.
type row struct {
	name      string
	tolerance Tolerance
	flops     func(Node) float64 // estimated arithmetic
}

// table is the only place where a tolerance is written down. The bounds come from
// float32's 2⁻²⁴ times what the operation accumulates: sums over K ≤ 5,000 terms in
// MatMul and Conv3x3, exponentials in Attention and the activations (WGSL allows
// exp 3 + 2·|x| units in the last place).
var table = [kinds]row{
	MatMul:       {"MatMul", Tolerance{1e-5, 2e-5}, matMulFLOPs},
	Attention:    {"Attention", Tolerance{2e-5, 5e-5}, attentionFLOPs},
	LayerNorm:    {"LayerNorm", Tolerance{1e-5, 1e-5}, perElement},
	QKNormRoPE:   {"QKNormRoPE", Tolerance{1e-5, 1e-5}, perElement},
	Activation:   {"Activation", Tolerance{2e-5, 2e-6}, perElement},
	Add:          {"Add", Tolerance{1e-6, 0}, perElement},
	CFG:          {"CFG", Tolerance{1e-6, 1e-6}, perElement},
	Euler:        {"Euler", Tolerance{1e-6, 1e-6}, perElement},
	Embedding:    {"Embedding", Tolerance{0, 0}, perElement},
	Conv3x3:      {"Conv3x3", Tolerance{1e-5, 2e-5}, convFLOPs},
	Upsample:     {"Upsample", Tolerance{0, 0}, perElement},
	Patchify:     {"Patchify", Tolerance{0, 0}, perElement},
	Unpatchify:   {"Unpatchify", Tolerance{0, 0}, perElement},
	ToRGBA:       {"ToRGBA", Tolerance{0, 0}, perElement}, // in units of 1/255; ties may round either way, see ops
	Copied:       {"Copy", Tolerance{0, 0}, perElement},
	RMSNorm:      {"RMSNorm", Tolerance{1e-5, 1e-5}, perElement},
	GroupMoments: {"GroupMoments", Tolerance{2e-5, 2e-5}, perInput},
	GroupNorm:    {"GroupNorm", Tolerance{2e-5, 2e-5}, perElement},
	Rotary:       {"Rotary", Tolerance{1e-6, 1e-6}, perElement},
	Gated:        {"Gated", Tolerance{2e-5, 2e-6}, perCounted},
	RelativeBias: {"RelativeBias", Tolerance{0, 0}, perElement},
	Unfold:       {"Unfold", Tolerance{0, 0}, perElement},
	Route:        {"Route", Tolerance{2e-5, 1e-9}, perElement},
	Gather:       {"Gather", Tolerance{0, 0}, perCounted},
	ScatterAdd:   {"ScatterAdd", Tolerance{1e-6, 1e-6}, perCounted},
}

func (k Kind) String() string { return table[k].name }

// Tolerance is what every machine is held to.
func (k Kind) Tolerance() Tolerance { return table[k].tolerance }

// Rounded is what a machine is held to that rounds the operands of products to 16 or 8
// bits, as a whole: the most that the root mean square of its errors may be of scale
// (1e-2 is 40 dB, 2e-3 is 54). No single element may be off by more than ten times that.
func Rounded(bits int) float64 {
	if bits == 16 {
		return 2e-3
	}
	return 1e-2
}

// FLOPs estimates the floating-point operations of a node.
func FLOPs(n Node) float64 { return table[n.Kind()].flops(n) }

// Kinds returns every operation.
func Kinds() []Kind {
	ks := make([]Kind, kinds)
	for i := range ks {
		ks[i] = Kind(i)
	}
	return ks
}

// perElement counts 10 for each element of the output: such work is bound by memory.
func perElement(n Node) float64 { return 10 * float64(n.Output().Rows) * float64(n.Output().Cols) }

// perCounted is perElement of the rows that are expected to count.
func perCounted(n Node) float64 {
	var c Counted
	switch n := n.(type) {
	case *GatedOp:
		c = n.Counted
	case *GatherOp:
		c = n.Counted
	case *ScatterAddOp:
		c = n.Counted
	}
	return perElement(n) / float64(n.Output().Rows) * float64(c.Expected(n.Output().Rows))
}

// perInput counts as much for each element of the first input, where the output is short.
func perInput(n Node) float64 { return 10 * float64(n.Inputs()[0].Rows) * float64(n.Inputs()[0].Cols) }

func matMulFLOPs(n Node) float64 {
	m := n.(*MatMulOp)
	return 2 * float64(m.Counted.Expected(m.A.Rows)) * float64(m.W.Rows) * float64(m.W.Cols)
}

func convFLOPs(n Node) float64 {
	c := n.(*Conv3x3Op)
	return 2 * float64(c.Out.Rows) * float64(c.Out.Cols) * float64(c.Weight.Cols)
}

func attentionFLOPs(n Node) float64 {
	a := n.(*AttentionOp)
	return 4 * float64(a.Q.Rows) * float64(a.K.Rows) * float64(a.Heads*a.HeadDim)
}
