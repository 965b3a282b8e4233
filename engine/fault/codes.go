package fault

// The faults. The comment beside each is when it is raised.
const (
	Internal Code = "internal" // a bug of ours, or something nobody foresaw
	Aborted  Code = "aborted"  // stopped by the person
	Busy     Code = "busy"     // a picture is already being made
	Closed   Code = "closed"   // used after close()

	NoWebGPU        Code = "webgpu-missing"    // navigator.gpu is absent
	InsecureContext Code = "insecure-context"  // not https and not localhost
	NoAdapter       Code = "adapter-missing"   // requestAdapter gave null
	DeviceRefused   Code = "device-refused"    // requestDevice failed
	DeviceLost      Code = "device-lost"       // the GPU went away
	GPUGone         Code = "gpu-gone"          // lost, and the browser gives none any more
	OutOfMemory     Code = "out-of-memory"     // a buffer could not be made
	ShaderCompile   Code = "shader-compile"    // the browser refused a kernel
	GPUValidation   Code = "gpu-validation"    // the browser refused a command
	LimitExceeded   Code = "limit-exceeded"    // the device is too small for a tensor
	NotFinite       Code = "not-finite"        // NaN or infinity in a picture
	Shape           Code = "shape"             // an op was given shapes it cannot take
	BackendMissing  Code = "backend-missing"   // no such device name
	WorkerFailed    Code = "worker-failed"     // the engine's worker did not start
	Protocol        Code = "protocol-mismatch" // page and engine of different versions

	Fetch             Code = "fetch-failed"       // network error
	HTTPStatus        Code = "http-status"        // 404, 503, …
	AddressRefused    Code = "address-refused"    // the browser lets this page read nothing from there
	RangeMissing      Code = "range-missing"      // the server sends no parts of a file
	FilesGone         Code = "files-gone"         // files that were given cannot be read any more
	NotWeights        Code = "not-weights"        // HTML or something else in place of a file
	ManifestInvalid   Code = "manifest-invalid"   // model.json is broken or lies
	WeightsFormat     Code = "weights-format"     // a weight file breaks its format
	WeightsTruncated  Code = "weights-truncated"  // shorter than its header says
	WeightsLimit      Code = "weights-limit"      // a legal weight file whose header needs too much memory
	WeightsHash       Code = "weights-hash"       // a piece does not match its SHA-256
	WeightsNotFinite  Code = "weights-not-finite" // NaN or infinite weights or scales
	WeightsMissing    Code = "weights-missing"    // a tensor the model needs is absent or misshapen
	ScalesMissing     Code = "scales-missing"     // 8-bit floats that are marked as scaled, without scales
	WeightsNone       Code = "weights-none"       // no weight file among what was given
	PartMissing       Code = "part-missing"       // files that make no whole model
	PartsMixed        Code = "parts-mixed"        // files of several models
	ModelUnsupported  Code = "model-unsupported"  // a family, layout or setting we do not have
	TokenizerInvalid  Code = "tokenizer-invalid"  // tokenizer.json cannot be used
	StorageFull       Code = "storage-full"       // no room for the weights beyond this visit
	StorageRefused    Code = "storage-refused"    // the browser keeps nothing here
	PromptTooLong     Code = "prompt-too-long"    // over the byte limit
	PromptNotText     Code = "prompt-not-text"    // invalid UTF-8 or control characters
	SeedRange         Code = "seed-range"         // not a whole number in 0 … 2^32-1
	StepsRange        Code = "steps-range"        // outside 1 … the model's limit
	SizeUnsupported   Code = "size-unsupported"   // not among the model's sizes
	CFGRange          Code = "cfg-range"          // outside 0 … 30
	GuidanceInvalid   Code = "guidance-invalid"   // a direction or schedule out of range
	ReferenceRefused  Code = "reference-refused"  // a picture to edit, for a model that makes them from words alone
	RequestInvalid    Code = "request-invalid"    // anything else wrong with a request
	EncodeUnsupported Code = "encode-unsupported" // r.blob was asked for a type it cannot make
	PictureInvalid    Code = "picture-invalid"    // a file that holds no parameters of a picture
)

var codes = []Code{
	Internal, Aborted, Busy, Closed,
	NoWebGPU, InsecureContext, NoAdapter, DeviceRefused, DeviceLost, GPUGone, OutOfMemory, ShaderCompile,
	GPUValidation, LimitExceeded, NotFinite, Shape, BackendMissing, WorkerFailed, Protocol,
	Fetch, HTTPStatus, AddressRefused, RangeMissing, FilesGone, NotWeights, ManifestInvalid, WeightsFormat, WeightsTruncated, WeightsLimit, WeightsHash,
	WeightsNotFinite, WeightsMissing, ScalesMissing, WeightsNone, PartMissing, PartsMixed, ModelUnsupported, TokenizerInvalid, StorageFull, StorageRefused,
	PromptTooLong, PromptNotText, SeedRange, StepsRange, SizeUnsupported, CFGRange,
	GuidanceInvalid, ReferenceRefused, RequestInvalid, EncodeUnsupported, PictureInvalid,
}

var advice = map[Code]string{
	Internal:          "Reload the page and try again; if it happens again, please report it with the details below.",
	Aborted:           "Nothing is wrong: press Generate to make another picture.",
	Busy:              "Wait for the picture that is being made, or stop it first.",
	Closed:            "Load the model again.",
	NoWebGPU:          "Use a browser with WebGPU (a current Chrome, Edge, Safari or Firefox), or choose the CPU device, which is much slower.",
	InsecureContext:   "Open the page over https or from localhost: browsers offer WebGPU only there.",
	NoAdapter:         "The browser offers no GPU: switch on hardware acceleration, update the graphics driver, or choose the CPU device.",
	DeviceRefused:     "Close other tabs that use the GPU and try again, or restart the browser.",
	DeviceLost:        "The GPU was taken away (driver update, sleep, or too much work). Press Generate to start it again.",
	GPUGone:           "Press the browser's own reload button (F5): it gives the GPU back only then. This page keeps what you have.",
	OutOfMemory:       "Close other tabs that use the GPU, or choose a smaller size.",
	ShaderCompile:     "Update the browser or the graphics driver; please report this with the details below.",
	GPUValidation:     "Reload the page; if it happens again, please report it with the details below.",
	LimitExceeded:     "This GPU cannot hold a tensor of that size: choose a smaller picture or another device.",
	NotFinite:         "Use a smaller guidance weight; if it happens without guidance, please report it.",
	Shape:             "This model does not fit the engine; please report it with the details below.",
	BackendMissing:    "Choose \"auto\", \"webgpu\" or \"cpu\".",
	WorkerFailed:      "Reload the page; in a sandboxed frame, open the full page instead.",
	Protocol:          "Reload the page, so that all its parts come from one version.",
	Fetch:             "Check the connection and load again.",
	HTTPStatus:        "The server does not offer this file: check the model's address, then load again.",
	AddressRefused:    "Download the file and choose it from the disk, or take a server that lets pages of other sites read it.",
	RangeMissing:      "Load it with the option store, or download the file and choose it from the disk.",
	FilesGone:         "Choose the files again.",
	NotWeights:        "This is another kind of file: check its address or its name.",
	ManifestInvalid:   "The model's model.json cannot be used: publish the model again with undertone convert.",
	WeightsFormat:     "The weight file is damaged: get it again from where it came, or publish it again.",
	WeightsTruncated:  "The weight file is incomplete: load it again, get it again from where it came, or publish it again.",
	WeightsLimit:      "The weight file is not damaged; its header needs more memory than is given to it here. Split the file, or leave metadata out.",
	WeightsHash:       "The weight file was changed on its way: load it again.",
	WeightsNotFinite:  "The weight file holds values that are not numbers: get it again from where it came, or publish it again.",
	WeightsMissing:    "The weight file does not fit its description: take the whole file as it was published, or publish it again.",
	ScalesMissing:     "Take the whole file as it was published, or the model in another precision.",
	WeightsNone:       "Choose the files that hold the weights too (.safetensors, .sft or .gguf), or the folder that they are in.",
	PartMissing:       "Give the missing files beside the others, or the folder that holds them all.",
	PartsMixed:        "Give the parts of one model, and each of them once.",
	ModelUnsupported:  "This version of Undertone cannot use it; a newer one may.",
	TokenizerInvalid:  "The model's words cannot be used: take the tokenizer of the model's own folder, or publish the model again.",
	StorageFull:       "Pictures are made all the same; the weights are downloaded again next time, unless there is more room then.",
	StorageRefused:    "Pictures are made all the same; the weights are downloaded again next time. In an ordinary window of the full page they can be kept.",
	PromptTooLong:     "Shorten the prompt.",
	PromptNotText:     "Type the prompt as plain text.",
	SeedRange:         "Use a whole number from 0 to 4294967295 as the seed.",
	StepsRange:        "Choose a number of steps inside the model's range.",
	SizeUnsupported:   "Choose one of the model's sizes.",
	CFGRange:          "Choose a guidance scale from 0 to 30.",
	GuidanceInvalid:   "Check the guidance weight and schedule.",
	ReferenceRefused:  "Leave the reference picture out, or load a model that edits pictures.",
	RequestInvalid:    "Check the values that were given.",
	EncodeUnsupported: "Choose image/png.",
	PictureInvalid:    "Choose a PNG that was saved here; other programs and many sites remove what is written into it.",
}
