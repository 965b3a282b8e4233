package page

// keeperWords are the texts about what survives the loss of the GPU.
type keeperWords struct {
	AfterReload, Recovered string
}
