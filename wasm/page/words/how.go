package words

// howWords are the texts of the view "how it works".
type howWords struct {
	incomparable
	TabHow, HowIntro, HowNone, HowAgain, HowWaits, HowFile string

	// The way of the data.
	FlowTokens, FlowPooled, FlowBlocks, FlowLabel string

	// Words.
	HowWords, HowWordsText, HowFollow, HowStart, HowEnd, HowUnknown, HowToken, HowPadding string

	// The vector.
	HowVector, HowVectorText, HowVectorPlain, HowVectorBlock string

	// Noise and steps.
	HowNoise, HowNoiseText, HowLatent, HowLatentLast string

	// Blocks.
	HowBlocks, HowBlocksText, HowScale, HowAllBlocks, HowBlock, HowDouble, HowSingle, HowHead string
	HowMap, HowShare, HowOver, HowNumbers, HowNumbersText                                     string
	HowColBlock, HowColWeight, HowColNorm, HowColAngle, HowColShift, HowColScale, HowColGate  string

	// The decoder, and the time.
	HowDecoder, HowDecoderText, HowTimeText                                                                 string
	HowPartWords, HowPartGuidance, HowPartModulation, HowPartSteps, HowPartDecoder, HowPartRest, HowPercent string
}
