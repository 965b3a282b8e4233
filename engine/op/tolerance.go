package op

// Tolerance bounds the difference between a machine and the float64 truth of
// engine/cpu for one operation: for every element,
//
//	|got − want| ≤ Abs·scale + Rel·|want|,   scale = the root mean square of want
//
// so that outliers elsewhere in the tensor do not hide an error, and values near
// zero are not asked for more digits than their neighbours have.
type Tolerance struct{ Rel, Abs float64 }

// Tolerances is the only place where a tolerance is written down. The bounds
// come from float32's 2⁻²⁴ times what the operation accumulates: sums over K ≤
// 5,000 terms in MatMul and Conv3x3, exponentials in Attention and the
// activations (WGSL allows exp 3 + 2·|x| units in the last place).
var Tolerances = map[Kind]Tolerance{
	MatMul:     {1e-5, 2e-5},
	Attention:  {2e-5, 5e-5},
	LayerNorm:  {1e-5, 1e-5},
	QKNormRoPE: {1e-5, 1e-5},
	Activation: {2e-5, 2e-6},
	Add:        {1e-6, 0},
	CFG:        {1e-6, 1e-6},
	Euler:      {1e-6, 1e-6},
	Embedding:  {0, 0},
	Conv3x3:    {1e-5, 2e-5},
	Upsample:   {0, 0},
	Patchify:   {0, 0},
	Unpatchify: {0, 0},
	ToRGBA:     {0, 0}, // in units of 1/255; ties may round either way, see optest
	Copied:     {0, 0},
}
