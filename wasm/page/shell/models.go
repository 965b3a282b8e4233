package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// offerText says of a precision of one of the site's models what it is good for, and how
// large its download is; of a model in one precision, or a person's own, what it is.
func offerText(offers []app.Offer, i int) string {
	if o := offers[i]; o.Own() {
		text := words.Text.ModelOwnKept
		if o.Given() {
			text = words.Text.ModelOwn
		}
		return fmt.Sprintf(text, o.Title, o.Name)
	}
	m := offers[i].Model
	most, least := m.Bits, m.Bits
	for _, o := range offers {
		if !o.Own() && o.Model.Title == m.Title {
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
