package main

// texts are those of the Lab; what an experiment asks is package lab's.
type texts struct {
	Questions, Paper, Here, Asked                                 string
	Prompts, PromptsHint, Seeds, SeedsHint, Direction, Own        string
	Positive, Negative, Weight, Device, GPU, CPU                  string
	Run, Resume, Pause, Again, Pictures, Left, Stopped, Done      string
	Loading, Answer, Table, Unsure, Interval, Count, Series       string
	CopyLink, Copied, NotKept, TheJudge, Judge, NoJudge, Unjudged string
	First, Second, Same, Which, Merge, Merged                     string
	Saved, Unasked                                                string
}

// text is in the page's first language. Elements follow it (ui.Follow).
var text = texts{
	Questions: "Questions", Paper: "What the paper says", Here: "How to read it here", Asked: "What is asked",
	Prompts: "Sentences", PromptsHint: "One in each line. Each is drawn with every seed.", Seeds: "Seeds", SeedsHint: "The more pictures, the surer the answer.",
	Direction: "Direction", Own: "my own words", Positive: "Towards", Negative: "Away from", Weight: "Weight",
	Device: "Computes on", GPU: "whatever is faster", CPU: "the processor",
	Run: "Run", Resume: "Go on", Pause: "Pause", Again: "Start anew",
	Pictures: "%d of %d comparisons", Left: ", about %s left", Stopped: "Paused after %d of %d comparisons.", Done: "All %d comparisons are made.",
	Loading: "Loading the model …", Answer: "Answer", Table: "The numbers behind the picture",
	Unsure: "no difference seen", Interval: "95 % interval", Count: "n", Series: "series",
	CopyLink: "Copy link", Copied: "The link is copied. It runs nothing by itself.",
	NotKept: "This browser does not keep the results: save them before you close the page.",
	Judge:   "A small network of this model, the judge, looks at every picture. It was right about: %s.",
	NoJudge: "This model has no judge: pictures are compared with each other, and nobody says which is better.", Unjudged: " It is not sure enough of %s: unjudged.",
	First: "The first", Second: "The second", Same: "No difference", Which: "Which shows better: %s?",
	Merge: "Add other people's votes (JSON)", Merged: "%d votes were added.",
	Saved: "Save as", TheJudge: "The judge", Unasked: "The paper did not ask this.",
}
