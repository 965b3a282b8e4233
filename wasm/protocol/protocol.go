package protocol

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// Version changes whenever a message does.
const Version = 10

// Type names a message.
type Type string

// The messages, from the window (init … ping) and from the worker (ready … alive).
// What is none of these, or has another form, is passed over on both sides: scripts
// that others put into a page send messages, too.
const (
	Init     Type = "init"     // the compiled engine; answered by ready
	Load     Type = "load"     // LoadBody; answered by progress…, then loaded or error
	Describe Type = "describe" // DescribeBody; answered by described or error
	Save     Type = "save"     // no body, with a FileSystemDirectoryHandle as folder: writes the loaded model there; answered by progress…, then saved or error
	Generate Type = "generate" // recipe.Request, with pixels where it has a reference; answered by progress… where the encoder has to be fetched, step…, then result or error
	Judge    Type = "judge"    // PictureBody, with pixels; answered by progress… where the judge has to be fetched, then judged or error
	Encode   Type = "encode"   // PictureBody, with pixels; answered by progress… where the encoder has to be fetched, then encoded or error
	Abort    Type = "abort"    // no body: stops the request of the same id
	Close    Type = "close"    // no body: frees everything and ends the worker
	Ping     Type = "ping"     // no body; answered by alive, whatever the engine is doing

	Ready     Type = "ready"     // no body: v is the worker's version
	Progress  Type = "progress"  // ProgressBody
	Loaded    Type = "loaded"    // LoadedBody
	Described Type = "described" // DescribedBody
	Saved     Type = "saved"     // SavedBody
	Step      Type = "step"      // StepBody, with pixels when there is a preview
	Result    Type = "result"    // ResultBody, with pixels
	Judged    Type = "judged"    // recipe.Judgement
	Encoded   Type = "encoded"   // no body, with pixels: the latent as float32
	Tuned     Type = "tuned"     // TuningBody, with id 0: what a search for the fastest kernels has come to
	Error     Type = "error"     // ErrorBody; with id 0 the worker itself has failed
	Alive     Type = "alive"     // { lock }: the Web Lock that the worker holds while it lives, or nothing
)

// Types lists every message.
func Types() []Type {
	return []Type{Init, Load, Describe, Save, Generate, Judge, Encode, Abort, Close, Ping, Ready, Progress, Loaded, Described, Saved, Step, Result, Judged, Encoded, Tuned, Error, Alive}
}

// MaxBody bounds the JSON text of a message to the worker, in bytes. The largest
// request that the engine takes is about half of it.
const MaxBody = 2 << 20

// MaxFiles is how many files may be given as one model: a folder with a sample gallery
// beside the weights has hundreds.
const MaxFiles = 4096

// Limits are bounds of a request that hold for every model; the window checks
// them before anything is walked or sent.
var Limits = map[string]float64{
	"promptBytes":    recipe.MaxPrompt,
	"seedMax":        math.MaxUint32,
	"cfgMax":         recipe.MaxCFG,
	"terms":          recipe.MaxTerms,
	"blocks":         guidance.MaxBlocks, // entries of a list in a schedule
	"scheduleFields": float64(reflect.TypeFor[guidance.Schedule]().NumField()),
	"scheduleText":   40, // UTF-16 units of a text in a schedule
	"addressLength":  8192,
	"files":          MaxFiles,
	"pathLength":     1024, // UTF-16 units of a file's path
	"referenceSide":  recipe.MaxReference,
	"bodyBytes":      MaxBody,
}

// RaisedInWindow lists the faults that the window's scripts raise by themselves;
// web/protocol.js carries their advice.
var RaisedInWindow = []fault.Code{
	fault.Internal, fault.Aborted, fault.Busy, fault.Closed,
	fault.NoWebGPU, fault.InsecureContext, fault.BackendMissing, fault.WorkerFailed, fault.Protocol,
	fault.PromptTooLong, fault.PromptNotText, fault.SeedRange, fault.StepsRange, fault.SizeUnsupported,
	fault.CFGRange, fault.GuidanceInvalid, fault.ReferenceRefused, fault.RequestInvalid, fault.StorageRefused, fault.EncodeUnsupported,
}

// Source is where a model comes from: one of the two.
type Source struct {
	Address string `json:"address,omitempty"` // absolute address of a model.json, or StoredScheme and a name
	Files   []File `json:"files,omitempty"`   // published files
}

// StoredScheme begins the addresses of published files that are kept on this machine.
// Nothing is fetched from them.
const StoredScheme = "stored:"

// Kept reports whether the address is that of published files on this machine.
func (s Source) Kept() bool { return strings.HasPrefix(s.Address, StoredScheme) }

// Published reports whether it is of published files, which have no model.json.
func (s Source) Published() bool { return len(s.Files) > 0 || s.Kept() }

// File is a published file. One without an address is the next of the Blobs that the
// message has in its list files.
type File struct {
	Path    string `json:"path"` // slash-separated; what its name and folder say counts
	Address string `json:"address,omitempty"`
}

// LoadBody asks for a model.
type LoadBody struct {
	Source
	Adapter *File  `json:"adapter,omitempty"` // of a pooled adapter beside a model.json; its Blob is the last
	Device  string `json:"device"`            // "auto", "webgpu" or "cpu"
	Store   bool   `json:"store"`             // keep the weights on this machine, and use those that are kept
	Tune    *bool  `json:"tune,omitempty"`    // search for the fastest kernels, once; nil: on a GPU. What is known is used unless it is false
}

// DescribeBody asks what a model offers and takes.
type DescribeBody struct {
	Source
	Adapter *File `json:"adapter,omitempty"` // as LoadBody's
}

// DescribedBody is the answer. Of published files, and of an adapter, there is what they
// are, and the description where that tells it.
type DescribedBody struct {
	*recipe.Description
	Found *recipe.Published `json:"found,omitempty"`
}

// The stages of loading, in their order.
const (
	StageDevice   = "device"   // asking for the GPU
	StageDownload = "download" // weights arrive; each piece is verified
	StagePrepare  = "prepare"  // weights go to the device, kernels are compiled
	StageSave     = "save"     // and of a saving, its only one
)

// ProgressBody tells how far loading is, in bytes over all files of the model.
type ProgressBody struct {
	Stage  string `json:"stage"`
	File   string `json:"file,omitempty"` // what is being downloaded or prepared
	Done   int64  `json:"done"`
	Total  int64  `json:"total"`
	Stored int64  `json:"stored,omitempty"` // of done, what was on this machine already
	Retry  int    `json:"retry,omitempty"`  // number of the attempt, from the second on
	Wait   string `json:"wait,omitempty"`   // why nothing arrives: WaitOffline, WaitTab, or nothing
}

// What a download waits for.
const (
	WaitOffline = "offline" // the network
	WaitTab     = "tab"     // another tab, which downloads the same file
)

// SavedBody is what was written: the names of the files, model.json last.
type SavedBody struct {
	Files []string `json:"files"`
	Bytes int64    `json:"bytes"` // of all of them
}

// LoadedBody is what was loaded.
type LoadedBody struct {
	recipe.Info
	Choice   *ChoiceBody       `json:"choice,omitempty"`   // where devices were compared
	Tuning   *TuningBody       `json:"tuning,omitempty"`   // of WebGPU, unless it is turned off
	Storage  *StorageBody      `json:"storage,omitempty"`  // where it was asked for
	Address  string            `json:"address,omitempty"`  // of published files that are kept
	Found    *recipe.Published `json:"found,omitempty"`    // of published files, and of an adapter
	Manifest json.RawMessage   `json:"manifest,omitempty"` // the model.json that was made of published files
}

// ChoiceBody tells by what one of two devices was chosen: the CPU, or WebGPU where a
// browser has it in software.
type ChoiceBody struct {
	Reason   string  `json:"reason"`   // a sentence
	WebGPUMs float64 `json:"webgpuMs"` // milliseconds of the same small piece of arithmetic
	CPUMs    float64 `json:"cpuMs"`
}

// The states of a search for the fastest kernels.
const (
	TuningNone    = "none"    // nothing is known of this GPU, and there is no search
	TuningDue     = "due"     // it begins once a picture is made
	TuningRunning = "running" // between pictures
	TuningDone    = "done"
)

// TuningBody tells of the search for the fastest kernels of a model on a GPU. What it finds
// is used from the next load on: a loaded model keeps its plan.
type TuningBody struct {
	State  string      `json:"state"`
	Used   bool        `json:"used"`   // the plan is made of what was found before
	Shapes int         `json:"shapes"` // of operations that more than one kernel takes
	Ms     float64     `json:"ms"`     // that it took so far
	Trials []TrialBody `json:"trials"`
}

// TrialBody is what was measured of one shape: see gpu.Trial.
type TrialBody struct {
	Shape string             `json:"shape"`
	Taken string             `json:"taken"`
	Ms    map[string]float64 `json:"ms"`
}

// StorageBody tells what of the model is kept on this machine, in bytes.
type StorageBody struct {
	Stored int64      `json:"stored"`          // now
	Reused int64      `json:"reused"`          // before, so that it was not downloaded
	Fault  *ErrorBody `json:"fault,omitempty"` // why not all of it
}

// StepBody tells that a step is done. Width and Height are those of the preview
// in pixels, 0 without one.
type StepBody struct {
	Step   int `json:"step"` // from 1
	Steps  int `json:"steps"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

// PictureBody is a picture that is asked about, of which the message has the pixels: an
// ArrayBuffer of 8-bit RGBA.
type PictureBody struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// ResultBody is a finished picture without its pixels. With a probe, two more
// ArrayBuffers are transferred: attention, recipe.Probe's as float32, and latents,
// the 8-bit RGBA of recipe.Probe's, one after the other.
type ResultBody struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	// LatentWidth is that of the probe's latents in pixels, 0 without one.
	LatentWidth int `json:"latentWidth,omitempty"`
	// Recovered is 1 when the GPU was lost before or in this picture and opened again.
	Recovered int `json:"recovered,omitempty"`
	*recipe.Result
}

// ErrorBody is a fault.
type ErrorBody struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
	Advice  string     `json:"advice"`
}

// ErrorOf describes err.
func ErrorOf(err error) ErrorBody {
	f := fault.Of(err)
	return ErrorBody{Code: f.Code, Message: f.Error(), Advice: f.Advice}
}
