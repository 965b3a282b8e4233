package guidance_test

import (
	"fmt"

	"undertone/guidance"
)

// The paper's schedule for FLUX, carried over to a model of eight blocks.
func ExampleSchedule_Weights() {
	s := guidance.Schedule{Kind: "step", Start: 5, Of: 57}
	w, err := s.Weights(3, 8)
	fmt.Println(w, err)

	s.Start = 60
	_, err = s.Weights(3, 8)
	fmt.Println(err)
	// Output:
	// [0 3 3 3 3 3 3 3] <nil>
	// guidance: start is 60; it must be a block of 57, 0 to 56
}

// One direction, two blocks and the head, two steps of a vector of length 2.
func ExampleBlend() {
	delta := guidance.Delta([]float32{1, 0}, []float32{0, 1})
	weights, _ := guidance.Schedule{Kind: "step", Start: 1}.Weights(2, 2)

	y := []float32{10, 10, 20, 20}
	guided := make([]float32, 2*(2+1)*2)
	err := guidance.Blend(guided, y, 2, 2, 2, []guidance.Direction{{Delta: delta, Weights: weights}})
	fmt.Println(guided[:6], err)
	fmt.Println(guided[6:])
	// Output:
	// [10 10 12 8 10 10] <nil>
	// [20 20 22 18 20 20]
}

func ExampleReadOut() {
	g := guidance.ReadOut([]float32{3, 4}, []float32{-4, 3})
	fmt.Printf("‖y‖ = %.0f, ‖δ‖ = %.0f, %.0f°\n", g.NormY, g.NormDelta, g.AngleDegrees)
	// Output: ‖y‖ = 5, ‖δ‖ = 5, 90°
}

func ExamplePresets() {
	p := guidance.Presets()[0]
	fmt.Println(p.Positive, "/", p.Negative, p.Weight, p.Schedule.Kind, p.Schedule.Start)
	// Output: Ultra-detailed, photorealistic, cinematic / Low-res, flat, cartoonish 3 step 5
}
