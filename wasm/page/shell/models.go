package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// offerText says what a precision is good for, and how large its download is.
func offerText(offers []app.Offer, i int) string {
	m := offers[i].Model
	most, least := m.Bits, m.Bits
	for _, o := range offers {
		most, least = max(most, o.Model.Bits), min(least, o.Model.Bits)
	}
	switch size := words.Bytes(m.Bytes); m.Bits {
	case most:
		return fmt.Sprintf(words.Text.BestQuality, size)
	case least:
		return fmt.Sprintf(words.Text.Smaller, size)
	default:
		return fmt.Sprintf(words.Text.WeightsBits, m.Bits, size)
	}
}
