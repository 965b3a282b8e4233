package weights

import "undertone/engine/op"

// An elementType is one row of a format's table of element types.
type elementType struct {
	name         string
	elems, bytes int64    // of one block; elements that are not in blocks have blocks of one
	dtype        op.DType // Unreadable where the engine does not compute with it
}

// ggmlTypes is ggml's table, by number. Rows without blocks are types that ggml has
// removed: their sizes are no longer told.
var ggmlTypes = map[uint32]elementType{
	0:  {"F32", 1, 4, op.F32},
	1:  {"F16", 1, 2, op.F16},
	2:  {"Q4_0", 32, 18, op.Q4_0},
	3:  {"Q4_1", 32, 20, op.Q4_1},
	4:  {"Q4_2", 0, 0, Unreadable},
	5:  {"Q4_3", 0, 0, Unreadable},
	6:  {"Q5_0", 32, 22, op.Q5_0},
	7:  {"Q5_1", 32, 24, op.Q5_1},
	8:  {"Q8_0", 32, 34, op.Q8_0},
	9:  {"Q8_1", 32, 36, Unreadable},
	10: {"Q2_K", 256, 84, op.Q2_K},
	11: {"Q3_K", 256, 110, op.Q3_K},
	12: {"Q4_K", 256, 144, op.Q4_K},
	13: {"Q5_K", 256, 176, op.Q5_K},
	14: {"Q6_K", 256, 210, op.Q6_K},
	15: {"Q8_K", 256, 292, Unreadable},
	16: {"IQ2_XXS", 256, 66, Unreadable},
	17: {"IQ2_XS", 256, 74, Unreadable},
	18: {"IQ3_XXS", 256, 98, Unreadable},
	19: {"IQ1_S", 256, 50, Unreadable},
	20: {"IQ4_NL", 32, 18, op.IQ4_NL},
	21: {"IQ3_S", 256, 110, Unreadable},
	22: {"IQ2_S", 256, 82, Unreadable},
	23: {"IQ4_XS", 256, 136, op.IQ4_XS},
	24: {"I8", 1, 1, Unreadable},
	25: {"I16", 1, 2, Unreadable},
	26: {"I32", 1, 4, Unreadable},
	27: {"I64", 1, 8, Unreadable},
	28: {"F64", 1, 8, op.F64},
	29: {"IQ1_M", 256, 56, Unreadable},
	30: {"BF16", 1, 2, op.BF16},
	31: {"Q4_0_4_4", 0, 0, Unreadable},
	32: {"Q4_0_4_8", 0, 0, Unreadable},
	33: {"Q4_0_8_8", 0, 0, Unreadable},
	34: {"TQ1_0", 256, 54, Unreadable},
	35: {"TQ2_0", 256, 66, Unreadable},
	36: {"IQ4_NL_4_4", 0, 0, Unreadable},
	37: {"IQ4_NL_4_8", 0, 0, Unreadable},
	38: {"IQ4_NL_8_8", 0, 0, Unreadable},
	39: {"MXFP4", 32, 17, Unreadable},
	40: {"NVFP4", 64, 36, Unreadable},
	41: {"Q1_0", 128, 18, Unreadable},
	42: {"Q2_0", 64, 18, Unreadable},
}

// safetensorsTypes is the table of safetensors, by name. Types of less than a byte
// are packed: a tensor of them fills whole bytes.
var safetensorsTypes = map[string]elementType{}

func init() {
	for _, t := range []elementType{
		{"F32", 1, 4, op.F32},
		{"F16", 1, 2, op.F16},
		{"BF16", 1, 2, op.BF16},
		{"F64", 1, 8, op.F64},
		{"C64", 1, 8, Unreadable},
		{"F8_E4M3", 1, 1, op.F8_E4M3},
		{"F8_E5M2", 1, 1, op.F8_E5M2},
		{"F8_E8M0", 1, 1, Unreadable},
		{"F8_E4M3FNUZ", 1, 1, Unreadable},
		{"F8_E5M2FNUZ", 1, 1, Unreadable},
		{"F6_E2M3", 4, 3, Unreadable},
		{"F6_E3M2", 4, 3, Unreadable},
		{"F4", 2, 1, Unreadable},
		{"I64", 1, 8, Unreadable},
		{"I32", 1, 4, Unreadable},
		{"I16", 1, 2, Unreadable},
		{"I8", 1, 1, Unreadable},
		{"U64", 1, 8, Unreadable},
		{"U32", 1, 4, Unreadable},
		{"U16", 1, 2, Unreadable},
		{"U8", 1, 1, Unreadable},
		{"BOOL", 1, 1, Unreadable},
	} {
		safetensorsTypes[t.name] = t
	}
}
