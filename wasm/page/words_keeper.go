package page

// keeperWords are the texts about what survives a reload.
type keeperWords struct {
	AfterReload string
}
