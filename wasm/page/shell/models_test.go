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
	offers = append(offers, app.Offer{Model: &app.Model{Description: recipe.Description{Title: "Edited", Bits: 8, Bytes: 9e6}}})
	for i, want := range []string{"6-bit · 6.0 MB", "Best quality · 8.0 MB", "Smaller · 4.0 MB", "Edited · 9.0 MB"} {
		if got := offerText(offers, i); got != want {
			t.Errorf("%d bits: %q, wanted %q", offers[i].Model.Bits, got, want)
		}
	}
	offers = append(offers[1:2], app.Offer{Address: "stored:x", Title: "FLUX.1 dev", Name: "q4"}, app.Offer{Files: 1, Title: "FLUX.1 dev", Name: "q8"})
	offers[0].Model.Title = "Sprites"
	for i, want := range []string{"Sprites · 8.0 MB", "FLUX.1 dev · q4, kept here", "FLUX.1 dev · q8, this visit only"} {
		if got := offerText(offers, i); got != want {
			t.Errorf("beside one's own: %q, wanted %q", got, want)
		}
	}
}
