package recipe

// Published is what published files are, together.
type Published struct {
	Variant    string              `json:"variant,omitempty"` // for people, as "Stable Diffusion 3.5 medium"; "" where there is no transformer
	Family     string              `json:"family,omitempty"`  // the kind of the transformer
	Parts      []PublishedPart     `json:"parts"`             // text encoders in the family's order, the transformer, the decoder
	Missing    []MissingPart       `json:"missing"`
	Unused     []UnusedFile        `json:"unused"`
	Tokenizers map[string][]string `json:"tokenizers"`           // the files of each text encoder's tokenizer, by the encoder's name
	LeastBytes int64               `json:"leastBytes,omitempty"` // on the device, where a part's weights come when they are needed, and leave
	Fits       *Fits               `json:"fits,omitempty"`
}

// PublishedPart is one network of published files. What it takes on a device is known
// where a whole model is there.
type PublishedPart struct {
	Role         string   `json:"role"`           // "text", "transformer", "decoder" or, of a pooled adapter beside its transformer, "adapter"
	Name         string   `json:"name,omitempty"` // of a text encoder: "clip_l", "clip_g" or "t5"
	Kind         string   `json:"kind"`
	Title        string   `json:"title"` // for people, as "CLIP"
	Files        []string `json:"files"`
	Type         string   `json:"type"`                  // of its largest tensor, as the file calls it
	DiskBytes    int64    `json:"diskBytes"`             // of its tensors in the files
	DeviceBytes  int64    `json:"deviceBytes,omitempty"` // of its weights on the device
	PeakBytes    int64    `json:"peakBytes,omitempty"`   // most of its weights that one program reads, and that program's temporaries
	LargestBytes int64    `json:"largestBytes"`          // of its largest weight, as the file holds it
}

// MissingPart is a part that is not among the files.
type MissingPart struct {
	Role     string `json:"role"` // as of a part, or "tokenizer"
	Name     string `json:"name,omitempty"`
	What     string `json:"what"`  // for people
	File     string `json:"file"`  // what it is usually called
	Where    string `json:"where"` // and where people usually have it
	Required bool   `json:"required"`
}

// UnusedFile is a file that no part reads.
type UnusedFile struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Fits says whether a device's limits have room for the picture that a model proposes.
// The weights are cut to fit any; what must lie in one binding is each other tensor.
type Fits struct {
	Buffer  int64 `json:"buffer"`  // bytes that a buffer of the device may have
	Binding int64 `json:"binding"` // and that a kernel may be given of one
	Largest int64 `json:"largest"` // bytes of the picture's largest tensor
	OK      bool  `json:"ok"`
	// Size is the largest of the model's sizes whose tensors fit, where the proposed one's
	// do not; absent where there is none.
	Size *Size  `json:"size,omitempty"`
	Why  string `json:"why,omitempty"` // where it does not fit, in a sentence
}
