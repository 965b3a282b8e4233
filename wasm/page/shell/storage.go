package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// storedWeights is what this device keeps, as Undertone.storage() tells it.
type storedWeights struct {
	known     bool          // it was asked
	Available bool          `json:"available"`
	Used      int64         `json:"used"`  // bytes of weights
	Usage     int64         `json:"usage"` // of everything that this site keeps
	Quota     int64         `json:"quota"`
	Persisted bool          `json:"persisted"`
	Models    []storedModel `json:"models"`
	denied    bool          // the browser was asked to keep them, and would not
}

// storedModel is a model of which stored of bytes are here.
type storedModel struct {
	Address  string `json:"address"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Revision string `json:"revision"`
	Bytes    int64  `json:"bytes"`
	Stored   int64  `json:"stored"`
}

// here is how much of the model at an absolute address is on this device, of how much; all
// is 0 where nothing is known of it.
func (k *storedWeights) here(address string) (stored, all int64) {
	for _, m := range k.Models {
		if m.Address == address {
			return m.Stored, m.Bytes
		}
	}
	return 0, 0
}

// own are the published files that are kept as a whole, which can be loaded from here.
func (k *storedWeights) own() (list []app.Offer) {
	for _, m := range k.Models {
		if app.Stored(m.Address) && m.Stored >= m.Bytes {
			list = append(list, app.Offer{Address: m.Address, Title: m.Title, Name: m.Name})
		}
	}
	return list
}

// text says what is kept of the model, and label what the button does that deletes it.
func (m storedModel) text() (text, label string) {
	whole, part, remove, tells := words.Text.StorageModel, words.Text.StoragePart, words.Text.StorageDeleteModel, m.Revision
	if app.Stored(m.Address) {
		whole, part, remove, tells = words.Text.StorageOwn, words.Text.StorageOwnPart, words.Text.StorageDeleteOwn, m.Name
	}
	text = fmt.Sprintf(whole, m.Title, tells, words.Bytes(m.Stored))
	if m.Stored < m.Bytes {
		text = fmt.Sprintf(part, m.Title, tells, words.Bytes(m.Stored), words.Bytes(m.Bytes))
	}
	return text, fmt.Sprintf(remove, m.Title, tells)
}
