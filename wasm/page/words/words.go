package words

// Texts are all texts of the page in one language; a JSON file holds each of them.
// %s and %d stand for values, %[2]s for the second of them, so that a language may
// turn them round. Numbers come with their units.
type Texts struct {
	incomparable
	offlineWords
	sessionWords
	storageWords
	pictureWords
	howWords
	panelWords
	openerWords
	// index.html, which shows its own texts until the page has started.
	Skip, StageName, Heading, Intro, IntroGuidance, SharedIntro         string
	Load, ReadingModel                                                  string
	About, AboutWords, AboutWordsText, AboutGuidance, AboutGuidanceText string
	AboutPrivate, AboutPrivateText, AboutTraining, Language             string
	LanguageMissing                                                     string
	LinkPaper, LinkSource, LinkDocs, LinkLab                            string

	// The embed.
	OpenFull, WaitTurn, Forget, Forgotten string

	// The stage.
	PictureLabel, PreviewLabel, PlainLabel string

	// Loading.
	LoadSize, LoadNote, Cancel, ModelMissing, ReloadPage string
	StageDevice, StageCPU, StageDownload, StagePrepare   string
	Downloaded, Speed, TimeLeft, Retrying                string

	// Without WebGPU.
	NoWebGPU, NoAdapter, Insecure                    string
	OfferCPU, EstimateCPU, DownloadCPU, MeasuringCPU string
	HelpChromium, HelpChromiumLinux                  string
	HelpChromiumAdapter, HelpAndroid                 string
	HelpFirefox, HelpSafari, HelpOther               string
	HelpInsecure                                     string

	// The prompt.
	Prompt, PromptHint, Examples, Understands, UnderstandsHint                                     string
	Objects, Colours, Counts, Places, Styles, Quality, Relations                                   string
	Generate, Another, GenerateKeys, GenerateKeysMac, Stop, StopKeys, LoadFirst, Starting, Working string
	Undrawn                                                                                        string

	// Guidance.
	Guidance, GuidanceHint, Off, Towards, Away, Weight, WeightSlider string
	Schedule, Constant, Step, Window                                 string
	FirstBlock, LastBlock, BlockWeights, CurveNone                   string

	// Settings.
	Settings, Seed, NewSeed, KeepSeed, SeedHint, Steps, StepsHint, Size string

	// The finished picture.
	Views, TabPicture, TabCompare      string
	Save, Times, Prepared, SamePicture string

	// What is announced and reported.
	// Faults are the engine's, by their codes, where it does not speak the language.
	// SiteFaults are those of the site's own model, which a visitor cannot mend: what
	// happened, with FaultOfSite as the advice.
	SiteFaults                                                                                                                             map[string]string
	Faults                                                                                                                                 map[string]struct{ What, Advice string }
	FaultDetails, FaultOfSite, Ready, Done, Stopped, ReadingPrompt, Percent, Dismiss, Code, DeviceGPU, DeviceSoft, DeviceCPU, DeviceFaster string
}

// incomparable keeps the compiler from writing a function that compares all the words of
// a struct, which nobody calls and every visitor would download.
type incomparable [0]func()
