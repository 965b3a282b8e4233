package sample

import "math"

// The noise of Cosmos-Predict goes from σ = 80 to 0.002 on top of the picture, x = x₀ + σ·ε,
// where that of flow models takes the picture's place, (1 − t)·x₀ + t·ε: with t = σ/(1 + σ)
// both are the same up to the factor 1 + σ.
const (
	edmHighest = 80.0
	edmLowest  = 0.002
	edmRho     = 7.0
)

// Karras returns n times in σ between those two, in even steps of σ^(1/7) (arXiv
// 2206.00364). With again, the last stands there twice, as diffusers' pipeline has it: its
// last step moves nothing.
func Karras(n int, again bool) (sigmas []float64) {
	high, low := math.Pow(edmHighest, 1/edmRho), math.Pow(edmLowest, 1/edmRho)
	for i := range n {
		share := 0.0
		if n > 1 {
			share = float64(i) / float64(n-1)
		}
		sigmas = append(sigmas, math.Pow(high+share*(low-high), edmRho))
	}
	if again && n > 0 {
		sigmas = append(sigmas, sigmas[n-1])
	}
	return sigmas
}
