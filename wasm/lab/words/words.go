package words

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Texts are those of the Lab's page.
type Texts struct {
	Questions, Paper, Here, Asked                                 string
	Prompts, PromptsHint, Seeds, SeedsHint, Direction, Own        string
	Positive, Negative, Weight, Device, GPU, CPU                  string
	Look, LookHint, Drawn, DrawnHint, Block, Clear                string
	Run, Resume, Pause, Again, Pictures, Left, Stopped, Done      string
	Loading, Answer, Table, Unsure, Interval, To, Count, Series   string
	CopyLink, Copied, NotKept, TheJudge, Judge, NoJudge, Unjudged string
	First, Second, Same, Which, Merge, Merged                     string
	Saved, Unasked, Sheet, SheetHint, SheetAlt                    string
	PresetName, SavePreset, PresetSaved, PresetKept, MyPresets    string
	Remove, Tour, TourLead, Back, Next, AskAgain, Made, MadeOther string
	Language, NotThere, Distance, Model                           string
	Distances                                                     map[string]string // by their names in package lab
	Stops                                                         map[string]string // of the tour, by experiment
}

// Text is in the page's language, English at first.
var Text = english

var english = Texts{
	Questions: "Questions", Paper: "What the paper says", Here: "How to read it here", Asked: "What is asked",
	Prompts: "Sentences", PromptsHint: "One in each line. Each is drawn with every seed.", Seeds: "Seeds", SeedsHint: "The more pictures, the surer the answer.",
	Direction: "Direction", Own: "my own words", Positive: "Towards", Negative: "Away from", Weight: "Weight",
	Device: "Computes on", GPU: "whatever is faster", CPU: "the processor",
	Look: "Words to look at", LookHint: "As they stand in the sentences. None: those that the judge knows.",
	Drawn: "A schedule by hand", DrawnHint: "How much of the weight each block gets, from −1 to 2. It is compared with the others once one is not 0.", Block: "Block %d: %s", Clear: "Clear",
	Run: "Run", Resume: "Go on", Pause: "Pause", Again: "Start anew",
	Pictures: "%d of %d comparisons", Left: ", about %s left", Stopped: "Paused after %d of %d comparisons.", Done: "All %d comparisons are made.",
	Loading: "Loading the model …", Answer: "Answer", Table: "The numbers behind the picture",
	Unsure: "no difference seen", Interval: "95 % interval", To: "%s to %s", Count: "n", Series: "series",
	CopyLink: "Copy link", Copied: "The link is copied. It runs nothing by itself.",
	NotKept: "This browser does not keep the results: save them before you close the page.",
	Judge:   "A small network of this model, the judge, looks at every picture. It was right about: %s.",
	NoJudge: "This model has no judge: pictures are compared with each other, and nobody says which is better.", Unjudged: " It is not sure enough of %s: unjudged.",
	First: "The first", Second: "The second", Same: "No difference", Which: "Which shows better: %s?",
	Merge: "Add other people's votes (JSON)", Merged: "%d votes were added.",
	Saved: "Save as %s", TheJudge: "The judge", Unasked: "The paper did not ask this.",
	Sheet: "One picture in every setting", SheetHint: "“%s”, seed %d. Across: %s.", SheetAlt: "%s, %s",
	PresetName: "Name of the preset", SavePreset: "Save as my preset", PresetSaved: "The page now offers “%s” among this model's directions, on this device.",
	PresetKept: "This browser does not keep it.", MyPresets: "My presets", Remove: "Remove %s",
	Tour: "A tour of five minutes", TourLead: "Four questions and what came out, computed in advance by the code that runs here. Ask any of them again on your own device.",
	Back: "Back", Next: "Next", AskAgain: "Ask it again here", Made: "%d comparisons of pictures by the model %s.", MadeOther: " They are of another version of the model than this page has.",
	Model: "Model", Distance: "Distance between pictures", Distances: map[string]string{"ssim": "in structure (1 − SSIM)", "pixels": "in colour (root mean square)", "features": "in the encoder's features"},
	Language: "Language", NotThere: "This site has no results for the tour. Choose a question.",
	Stops: map[string]string{
		"pooled":   "A sentence reaches the network in two ways: word by word, as tokens, and summed up in one vector, the pooled one. Here each was taken away. The higher a line, the more of the picture changed.",
		"guidance": "Guidance pushes that one vector towards some words and away from others. A judge, a small network that looks at pictures, says how much more of the words they show. Compare it with the random direction: a push that is as long and means nothing.",
		"weight":   "The push may begin at any block of the network. Each row of pictures begins later, each column pushes harder; the curves say how far the pictures went.",
		"block":    "Now one block at a time. The paper pushed in ranges of blocks and did not ask which block alone carries a direction.",
	},
}

// Language is one that the Lab has texts in.
type Language struct{ Tag, Name string }

// Languages lists them; the first is spoken where none is understood.
var Languages = []Language{{"en", "English"}, {"zh-Hans", "简体中文"}}

// Choose is the tag of the first language that is wished for and known.
func Choose(wishes []string) string {
	for _, wish := range wishes {
		first, _, _ := strings.Cut(strings.ToLower(wish), "-")
		for _, l := range Languages {
			if tag, _, _ := strings.Cut(l.Tag, "-"); tag == first {
				return l.Tag
			}
		}
	}
	return Languages[0].Tag
}

// said translates what package lab says: whole texts, and forms with values in them.
var said map[string]string

// Speak changes the language to one whose file of texts this is (web/lab.zh.json). It comes
// before anything is shown.
func Speak(file []byte) error {
	var read struct {
		Texts
		Said map[string]string
	}
	if err := json.Unmarshal(file, &read); err != nil {
		return err
	}
	Text, said = read.Texts, read.Said
	return nil
}

// Add takes translations of a model's own words.
func Add(from map[string]string) {
	if said != nil {
		maps.Copy(said, from)
	}
}

// Say is a text of package lab in the page's language, or as it is where nothing is known
// of it.
func Say(text string) string {
	if whole, ok := said[text]; ok {
		return whole
	}
	for _, whole := range []bool{true, false} {
		for form, translated := range said {
			values, rest, ok := match(form, text)
			if !ok || (rest == "") != whole || !whole && !strings.HasSuffix(form, ".") {
				continue
			}
			list := make([]any, len(values))
			for i, v := range values {
				list[i] = Say(v)
			}
			if len(list) > 0 {
				translated = fmt.Sprintf(translated, list...)
			}
			return translated + Say(strings.TrimSpace(rest))
		}
	}
	return text
}

// match reads the values of a form, with %s in their places, from the beginning of a text.
func match(form, text string) (values []string, rest string, ok bool) {
	literals := strings.Split(form, "%s")
	rest, ok = strings.CutPrefix(text, literals[0])
	for i := 1; i < len(literals) && ok; i++ {
		at := strings.Index(rest, literals[i])
		if i == len(literals)-1 && literals[i] == "" {
			at = len(rest)
		}
		if ok = at > 0; ok {
			values = append(values, rest[:at])
			rest = rest[at+len(literals[i]):]
		}
	}
	return values, rest, ok && form != "" && !slices.Contains(values, "")
}
