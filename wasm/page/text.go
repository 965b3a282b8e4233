package page

// words are all texts of the page that are not in index.html, in one language.
// %s and %d stand for values; numbers come with their units.
type words struct {
	// The stage.
	PictureLabel, PreviewLabel, GuidedLabel, PlainLabel string

	// Loading.
	LoadSize, LoadNote, Cancel, ModelMissing, ReloadPage string
	StageDevice, StageDownload, StagePrepare             string
	Downloaded, Speed, TimeLeft, Retrying                string

	// Without WebGPU.
	NoWebGPU, NoAdapter, Insecure       string
	OfferCPU, EstimateCPU, MeasuringCPU string
	HelpChromium, HelpChromiumLinux     string
	HelpChromiumAdapter, HelpAndroid    string
	HelpFirefox, HelpSafari, HelpOther  string
	HelpInsecure                        string

	// The prompt.
	Prompt, PromptHint, Examples, Understands, UnderstandsHint           string
	Objects, Colours, Counts, Places, Styles, Quality, Relations         string
	Generate, GenerateKeys, Stop, StopKeys, LoadFirst, Starting, Working string

	// Guidance.
	Guidance, GuidanceHint, Off, Towards, Away, Weight     string
	Schedule, Constant, Step, Window, OfPreset             string
	FirstBlock, LastBlock, Curve, CurveNone, BlocksCounted string

	// Settings.
	Settings, Seed, Dice, Lock, LockHint, Steps, StepsHint, Size string

	// The finished picture.
	Compare, CompareOff, Save, Times, Prepared, SamePicture string

	// What is announced and reported.
	Ready, Done, Stopped, Step0, Percent, Dismiss, Code, DeviceGPU, DeviceSoft, DeviceCPU string
}

var english = words{
	PictureLabel: "Picture of: %s",
	PreviewLabel: "Preview after step %d of %d",
	GuidedLabel:  "With guidance, weight %s",
	PlainLabel:   "Without guidance",

	LoadSize:      "Load the model · %s",
	LoadNote:      "Nothing is downloaded before you press. And nothing is ever sent: your words and your pictures stay on this device.",
	ReloadPage:    "Reload the page; if it happens again, the site is not complete.",
	Cancel:        "Cancel",
	ModelMissing:  "The description of the model could not be read: %s.",
	StageDevice:   "Starting the graphics processor …",
	StageDownload: "Downloading",
	StagePrepare:  "Preparing the model …",
	Downloaded:    "%s of %s",
	Speed:         "%s/s",
	TimeLeft:      "%s left",
	Retrying:      "the line broke, attempt %d",

	NoWebGPU:     "This browser does not offer WebGPU, which makes pictures quickly.",
	NoAdapter:    "This browser knows WebGPU but offers no graphics processor.",
	Insecure:     "The browser hides the graphics processor from this page, because it was not opened over https.",
	OfferCPU:     "Use the processor (CPU) instead",
	EstimateCPU:  "One picture would then take about %s: an estimate from a short measurement just now. %s are downloaded first.",
	MeasuringCPU: "Pictures then take much longer; measuring how long …",
	HelpChromium: "In Chrome or Edge: update to version 113 or newer, and switch on Settings → System → “Use graphics acceleration when " +
		"available”. Then open this page again.",
	HelpChromiumLinux: "In Chrome on Linux: update the browser and the graphics driver; where WebGPU is still off, open " +
		"chrome://flags/#enable-unsafe-webgpu, choose Enabled, and restart the browser.",
	HelpChromiumAdapter: "Switch on Settings → System → “Use graphics acceleration when available”, update the graphics driver, and " +
		"restart the browser.",
	HelpAndroid:  "On Android: use Chrome 121 or newer on Android 12 or newer.",
	HelpFirefox:  "In Firefox: update to version 141 (Windows) or 145 (Mac) or newer. On Linux, Chrome has WebGPU today.",
	HelpSafari:   "In Safari: WebGPU comes with Safari 26 (macOS, iOS and iPadOS 26). Update the system, or use Chrome on a Mac.",
	HelpOther:    "Open this page in a current Chrome, Edge, Firefox or Safari.",
	HelpInsecure: "Open this page over https, or from localhost; browsers offer the graphics processor only there.",

	Prompt:          "What should the picture show?",
	PromptHint:      "Left empty, the model draws what it likes.",
	Examples:        "Examples",
	Understands:     "What this model understands",
	UnderstandsHint: "It has learned these words and little else. Press one to add it to the prompt.",
	Objects:         "Things",
	Colours:         "Colours",
	Counts:          "Numbers",
	Places:          "Places and times",
	Styles:          "Styles",
	Quality:         "Finish",
	Relations:       "Positions",
	Generate:        "Generate",
	GenerateKeys:    "Ctrl + Enter",
	Stop:            "Stop",
	StopKeys:        "Esc",
	LoadFirst:       "Load the model first.",
	Starting:        "Starting …",
	Working:         "Step %d of %d",

	Guidance:      "Guidance",
	GuidanceHint:  "Pushes the picture towards some words and away from others, without changing the prompt.",
	Off:           "Off",
	Towards:       "Towards",
	Away:          "Away from",
	Weight:        "Weight",
	Schedule:      "Applied to",
	Constant:      "All blocks",
	Step:          "From a block on",
	Window:        "Some blocks",
	OfPreset:      "Preset’s own",
	FirstBlock:    "First block",
	LastBlock:     "Last block",
	Curve:         "Weight of each block: %s",
	CurveNone:     "The schedule does not fit this model.",
	BlocksCounted: "The model has %d blocks, counted from 0.",

	Settings:  "Settings",
	Seed:      "Seed",
	Dice:      "Roll a new seed",
	Lock:      "Keep the seed",
	LockHint:  "The same seed and settings give the same picture.",
	Steps:     "Steps",
	StepsHint: "The model was made for %d steps; 1 to %d are possible.",
	Size:      "Size",

	Compare:     "Compare without guidance",
	CompareOff:  "Hide the comparison",
	Save:        "Save PNG",
	Times:       "%s: text %s, guidance %s, modulation %s, %d steps %s, decoding %s",
	Prepared:    ", preparing %s (the first time only)",
	SamePicture: "Nothing was changed, so this is the same picture again. Roll the dice for another one.",

	Ready:      "The model is loaded. Press Generate.",
	Done:       "The picture is finished.",
	Stopped:    "Stopped.",
	Step0:      "Reading the prompt …",
	Percent:    "%.0f percent are downloaded",
	Dismiss:    "Dismiss",
	Code:       "Code: %s",
	DeviceGPU:  "%s · WebGPU",
	DeviceSoft: "WebGPU in software, slow · %s",
	DeviceCPU:  "CPU",
}
