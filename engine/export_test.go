package engine

// LimitModulation sets the bytes of modulation that may be bound at once, and
// returns what puts the old limit back.
func LimitModulation(bytes int) (restore func()) {
	old := maxModulation
	maxModulation = bytes
	return func() { maxModulation = old }
}
