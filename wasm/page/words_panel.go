package page

// panelWords are the texts of the controls.
type panelWords struct {
	// Before loading.
	Samples string

	// The prompt.
	Unknown, Suggestions, Surprise string

	// Directions and their schedules.
	Directions, AddDirection, RemoveDirection, DirectionName, Nameless string
	Bumps, Intervals, Table, FirstBump, SecondBump, BumpWidth          string
	DoubleBlocks, SingleBlocks, BlockDouble, BlockSingle, BlockWeight  string
	DrawHint, Lengths, LengthsHint                                     string

	// Settings.
	Pictures, Live, LiveAuto, LiveAlways, LiveOff                    string
	PaceOff, PaceUnknown, PaceMoving, PaceRelease                    string
	Weights, WeightsBits, EditionVersion, EditionModel, EditionTerms string
}
