package page

import (
	_ "embed" // the texts
	"encoding/json"
	"strings"
)

// words are all texts of the page in one language; words/ holds one file for each.
// %s and %d stand for values, %[2]s for the second of them, so that a language may
// turn them round. Numbers come with their units.
type words struct {
	offlineWords
	keeperWords
	storageWords
	pictureWords
	howWords
	panelWords
	// index.html, which shows its own texts until the page has started.
	Skip, StageName, Heading, Intro, IntroLean, Load, Looking           string
	About, AboutWords, AboutWordsText, AboutGuidance, AboutGuidanceText string
	AboutPrivate, AboutPrivateText, AboutTraining, Language             string

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
	Guidance, GuidanceHint, Off, Towards, Away, Weight string
	Schedule, Constant, Step, Window                   string
	FirstBlock, LastBlock, Curve, CurveNone            string

	// Settings.
	Settings, Seed, Dice, Lock, LockHint, Steps, StepsHint, Size string

	// The finished picture.
	Views, TabPicture, TabCompare      string
	Save, Times, Prepared, SamePicture string

	// What is announced and reported.
	// Faults are the engine's, by their codes, where it does not speak the language.
	Faults                                                                                map[string]struct{ What, Advice string }
	Ready, Done, Stopped, Step0, Percent, Dismiss, Code, DeviceGPU, DeviceSoft, DeviceCPU string
}

var (
	//go:embed words/en.json
	english []byte
	//go:embed words/zh.json
	chinese []byte
)

// language is one the page speaks.
type language struct {
	tag  string // as in the attribute lang
	name string // in the language itself
	dir  string // "ltr" or "rtl"
	file []byte
}

// languages lists them; the first is spoken where none is understood.
var languages = []language{
	{"en", "English", "ltr", english},
	{"zh-Hans", "简体中文", "ltr", chinese},
}

// say holds the texts in the language that is spoken now. Fields keep their
// addresses when the language changes, so a pointer to one is a text that follows.
var say words

// speak changes the language. Every language has every text, which a test holds.
func speak(l language) {
	say.Titles, say.Faults = nil, nil // maps are filled, not replaced
	if err := json.Unmarshal(l.file, &say); err != nil {
		panic(err) // the files are part of the program
	}
}

// chooseLanguage finds the first wish that can be met: wishes are tags such as
// "zh-CN", the most wanted first.
func chooseLanguage(wishes []string) language {
	for _, wish := range wishes {
		wish, _, _ = strings.Cut(strings.ToLower(wish), "-")
		for _, l := range languages {
			if tag, _, _ := strings.Cut(l.tag, "-"); tag == wish {
				return l
			}
		}
	}
	return languages[0]
}
