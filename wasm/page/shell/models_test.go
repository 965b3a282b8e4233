package shell

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

func TestOfferText(t *testing.T) {
	words.Use(words.Languages[0])
	var offers []app.Offer
	for _, bits := range []int{6, 8, 4} {
		offers = append(offers, app.Offer{Model: &app.Model{Description: recipe.Description{Bits: bits, Bytes: int64(bits) * 1e6}}})
	}
	for i, want := range []string{"6-bit · 6.0 MB", "Best quality · 8.0 MB", "Smaller · 4.0 MB"} {
		if got := offerText(offers, i); got != want {
			t.Errorf("%d bits: %q, wanted %q", offers[i].Model.Bits, got, want)
		}
	}
}
