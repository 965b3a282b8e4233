package words

// panelWords are the texts of the controls.
type panelWords struct {
	incomparable
	// Before loading.
	Samples string

	// The prompt.
	Unknown, NothingKnown, Near, NearWord, Suggestions, Surprise string

	// Directions and their schedules.
	Directions, AddDirection, RemoveDirection, MuteDirection, NewDirection string
	DirectionHint, WeightOf, RemoveOf, MuteOf, Advanced                    string
	Bumps, Intervals, Table, FirstBump, SecondBump, BumpWidth              string
	DoubleBlocks, SingleBlocks, BlockDouble, BlockSingle, BlockWeight      string
	DrawHint, ArrowKeys, Lengths, LengthsHint                              string

	// Titles translates those of the model's presets, by their ids; a model names
	// its presets in English.
	Titles map[string]string

	// Settings.
	Pictures, Live, LiveAuto, LiveAlways, LiveOff                                                string
	PaceOff, PaceUnknown, PaceMoving, PaceRelease                                                string
	ModelDownload, BestQuality, Smaller, WeightsBits, EditionVersion, EditionModel, EditionTerms string
}

// PresetTitle is what a preset is called in this language: the model's own title where
// the language has none for its id.
func (w *Texts) PresetTitle(id, title string) string {
	if t := w.Titles[id]; t != "" {
		return t
	}
	return title
}
