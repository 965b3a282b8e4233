package words

// sessionWords are the texts about what survives the loss of the GPU.
type sessionWords struct {
	incomparable
	AfterReload, Recovered string
}
