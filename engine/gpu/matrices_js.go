package gpu

import "syscall/js"

// listMatrices reads what an adapter says of its subgroup matrices; nil without OfferMatrices.
var listMatrices func(js.Value) []Matrix

// OfferMatrices adds subgroup matrices to the ways of MatMul, for the bench and tests: they are
// experimental, and a program that does not call it does not contain them.
func OfferMatrices() {
	offerMatrices()
	listMatrices = matrices
}

// matrices are those of a list that have sums in f32.
func matrices(list js.Value) (out []Matrix) {
	for i := range list.Length() {
		m := list.Index(i)
		operands, sums := jsString(m.Get("componentType")), jsString(m.Get("resultComponentType"))
		if sums == "f32" && (operands == "f16" || operands == "f32") {
			out = append(out, Matrix{operands == "f16", m.Get("M").Int(), m.Get("N").Int(), m.Get("K").Int()})
		}
	}
	return out
}
