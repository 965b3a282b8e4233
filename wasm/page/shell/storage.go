package shell

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
	Title    string `json:"title"`
	Revision string `json:"revision"`
	Bytes    int64  `json:"bytes"`
	Stored   int64  `json:"stored"`
}

// here is how much of the model at an absolute address is on this device.
func (k *storedWeights) here(address string) int64 {
	for _, m := range k.Models {
		if m.Address == address {
			return m.Stored
		}
	}
	return 0
}
