package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// offerText says of a precision of the site's model what it is good for, and how large its
// download is; of a person's own model what it is, and whether it stays.
func offerText(offers []app.Offer, i int) string {
	if o := offers[i]; o.Own() {
		text := words.Text.ModelOwnKept
		if o.Files != nil {
			text = words.Text.ModelOwn
		}
		return fmt.Sprintf(text, o.Title, o.Name)
	}
	m := offers[i].Model
	most, least := m.Bits, m.Bits
	for _, o := range offers {
		if !o.Own() {
			most, least = max(most, o.Model.Bits), min(least, o.Model.Bits)
		}
	}
	switch size := words.Bytes(m.Bytes); {
	case most == least:
		return m.Title + " · " + size
	case m.Bits == most:
		return fmt.Sprintf(words.Text.BestQuality, size)
	case m.Bits == least:
		return fmt.Sprintf(words.Text.Smaller, size)
	default:
		return fmt.Sprintf(words.Text.WeightsBits, m.Bits, size)
	}
}
