package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// generate makes a picture on the CPU. The file carries what made it.
func generate(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parseGenerate(args, stdout, stderr)
	if err != nil {
		return err
	}
	terms, err := f.terms(ctx)
	if err != nil {
		return err
	}
	if f.seed > math.MaxUint32 {
		return fault.New(fault.SeedRange, "seed %d, wanted 0 to %d", f.seed, uint32(math.MaxUint32))
	}
	reference, err := f.picture(ctx)
	if err != nil {
		return err
	}
	bar := newBar(stderr)
	e, done, err := load(ctx, f.paths, f.adapter, bar)
	defer done()
	if err != nil {
		return err
	}
	defer e.Close()
	proposed := e.Defaults()
	if reference != nil {
		proposed.Steps = e.EditSteps()
	}
	req := f.request(proposed)
	req.Guidance, req.Reference = f.heads(terms, e.Info().SteersHead), reference
	r, err := draw(ctx, e, req, bar)
	if err != nil {
		return err
	}
	if err := f.write(r); err != nil {
		return err
	}
	stdout = f.target.notes(stdout, stderr)
	for _, n := range r.Notices {
		fmt.Fprintln(stdout, n)
	}
	for i, g := range r.Geometry {
		fmt.Fprintf(stdout, "direction %d: length %.3g of %.3g, angle %.0f°, weights %v\n", i+1, g.NormDelta, g.NormY, g.AngleDegrees, g.Weights)
	}
	p := r.Parameters
	fmt.Fprintf(stdout, "%s: %d × %d, %q, seed %d, %d steps, %s of %s, %.1f s\n",
		f.target.name, r.Image.W, r.Image.H, p.Prompt, r.Seed, p.Steps, p.Precision, p.Model, r.Timings.TotalMs/1000)
	return nil
}

// generateFlags are what the command line of generate says.
type generateFlags struct {
	given   map[string]bool // which flags stand there
	paths   []string        // of the model
	adapter string          // the file of a pooled adapter
	target  output
	poster  *output // of the picture as a poster, or nil

	prompt string
	seed   uint64
	steps  int
	size   recipe.Size
	cfg    float64

	positive, negative, schedule, file, rows string // of modulation guidance
	weight, head                             float64
	reference                                string // the file of a picture to edit
	pooled, tokens                           string // what is taken from the prompt
}

// sizeFlag is the flag that asks for a picture's size, which is 0 without it.
func sizeFlag(fs *flagSet, size *recipe.Size) {
	fs.Func("size", "pixels of a side, as in 512, or `WIDTHxHEIGHT`, as in 512x384; without this flag, the model's own", func(text string) (err error) {
		*size, err = recipe.ParseSize(text)
		return err
	})
}

func parseGenerate(args []string, stdout, stderr io.Writer) (*generateFlags, error) {
	fs, f := flags("generate", "MODEL_DIR|PATH…", stderr), &generateFlags{}
	fs.StringVar(&f.prompt, "prompt", "", "what to draw; without this flag, the model's own example; empty is unconditional")
	fs.StringVar(&f.reference, "reference", "", "a PNG, JPEG or GIF file to edit, of which --prompt says what to change; an empty --prompt gives it back; its middle is taken where its shape is another")
	fs.Uint64Var(&f.seed, "seed", 0, "0 to 4294967295; without this flag, the model's own")
	fs.IntVar(&f.steps, "steps", 0, "without this flag, the model's own number")
	sizeFlag(fs, &f.size)
	fs.Float64Var(&f.cfg, "cfg", 0, "classifier-free guidance scale; 1 is off; without this flag, the model's own")
	fs.StringVar(&f.positive, "positive", "", "modulation guidance: what to steer towards")
	fs.StringVar(&f.negative, "negative", "", "modulation guidance: what to steer away from")
	fs.Float64Var(&f.weight, "weight", 0, "modulation guidance: how strongly")
	fs.Float64Var(&f.head, "head", 0, "modulation guidance: how strongly at the output head; without this flag 0, of a HiDream as --weight")
	fs.StringVar(&f.schedule, "schedule", "step:5/57", "modulation guidance: constant, step:FIRST, window:FIRST-LAST or bumps, each with /OF for block numbers of a model with OF blocks; or JSON")
	fs.StringVar(&f.file, "guidance", "", "modulation guidance: a JSON file, [{positive, negative, weight, head, schedule}, …]")
	fs.StringVar(&f.rows, "guidance-rows", "", "modulation guidance with --cfg: what the pass without the prompt gets of it; both: the same, cond: nothing, signed: the opposite; without this flag, both, of a Cosmos cond, of a HiDream signed")
	fs.StringVar(&f.pooled, "ablate-pooled", "", "what the model reads in place of the prompt's pooled vector: zero; random, of the same length; prompt:TEXT, that of another text; off, nothing, and no directions; or guided, nothing in blocks that no direction changes")
	fs.StringVar(&f.adapter, "adapter", "", "the file of a pooled adapter, for a model that reads no pooled vector by itself")
	fs.StringVar(&f.tokens, "ablate-tokens", "", "what the model reads in place of the prompt's tokens: empty, those of no words")
	out := fs.String("o", "picture.png", "the PNG file to write; - is standard output")
	poster := fs.String("poster", "", "a PNG or JPEG file to write for <undertone-demo> to show, of at most 704 pixels a side; the picture itself is written with -o alone then")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() == 0 {
		return nil, usagef("name one model folder, or the published files of one model")
	}
	f.given, f.paths = fs.given(), fs.Args()
	if f.given["reference"] && !f.given["prompt"] {
		return nil, usagef("with --reference, the picture to edit, say what to change with --prompt")
	}
	if *poster == "-" {
		return nil, usagef("--poster -: name a file; -o - writes the picture to standard output")
	}
	if f.given["poster"] {
		target, err := posterTo(*poster, stdout)
		if err != nil {
			return nil, err
		}
		f.target, f.poster = target, &target
	}
	if f.given["o"] || f.poster == nil {
		target, err := outputTo("-o", *out, ".png", stdout)
		if err != nil {
			return nil, err
		}
		f.target = target
	}
	return f, nil
}

// write writes the files that were asked for.
func (f *generateFlags) write(r *engine.Result) error {
	if f.poster != nil {
		if _, _, err := writePoster(*f.poster, r); err != nil || !f.given["o"] {
			return err
		}
	}
	return writePicture(f.target, r)
}

// terms are the directions of the flags, or of the file that stands for them.
func (f *generateFlags) terms(ctx context.Context) ([]engine.Term, error) {
	switch one := f.given["positive"] || f.given["negative"] || f.given["weight"] || f.given["head"] || f.given["schedule"]; {
	case one && f.given["guidance"]:
		return nil, usagef("--guidance FILE stands for --positive, --negative, --weight, --head and --schedule")
	case one:
		s, err := parseSchedule(f.schedule)
		if err != nil {
			return nil, err
		}
		if err := hasEffect(f.given, f.positive, f.negative); err != nil {
			return nil, err
		}
		return []engine.Term{{Positive: f.positive, Negative: f.negative, Weight: f.weight, Head: f.head, Schedule: s}}, nil
	case f.given["guidance"]:
		return readTerms(ctx, f.file)
	}
	return nil, nil
}

// heads lets the direction of the flags steer the output head too where the model's do,
// unless a flag says how strongly.
func (f *generateFlags) heads(terms []engine.Term, steers bool) []engine.Term {
	if steers && !f.given["head"] && !f.given["guidance"] {
		for i := range terms {
			terms[i].Head = terms[i].Weight
		}
	}
	return terms
}

// request is the model's own with what the flags say in its place.
func (f *generateFlags) request(req engine.Request) engine.Request {
	if f.given["prompt"] {
		req.Prompt = f.prompt
	}
	if f.given["seed"] {
		req.Seed = uint32(f.seed)
	}
	if f.given["steps"] {
		req.Steps = f.steps
	}
	if f.given["size"] {
		req.Size = f.size
	}
	if f.given["cfg"] {
		req.CFG = f.cfg
	}
	if f.given["guidance-rows"] {
		req.GuidanceRows = guidance.Rows(f.rows)
	}
	if f.pooled != "" || f.tokens != "" {
		pooled, text, _ := strings.Cut(f.pooled, ":")
		req.Ablate = &recipe.Ablation{Pooled: recipe.PooledAblation(pooled), Prompt: text, Tokens: recipe.TokenAblation(f.tokens)}
	}
	return req
}

// writePicture writes a PNG file that carries its parameters.
func writePicture(target output, r *engine.Result) error {
	var pixels bytes.Buffer
	if err := png.Encode(&pixels, picture(r.Image)); err != nil {
		return err
	}
	file, err := recipe.WritePNG(pixels.Bytes(), r.Parameters)
	if err != nil {
		return err
	}
	return target.write(func(w io.Writer) error { _, err := w.Write(file); return err })
}

// given says which flags stand on the command line.
func (fs *flagSet) given() map[string]bool {
	names := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { names[f.Name] = true })
	return names
}

// load brings a model onto the CPU (see openAdapted).
func load(ctx context.Context, paths []string, adapter string, bar *bar) (e *engine.Engine, done func(), err error) {
	b, done, err := openAdapted(ctx, paths, adapter)
	if err != nil {
		return nil, done, err
	}
	machine := cpu.New(cpu.Options{})
	e, err = engine.Load(ctx, machine, b, engine.LoadOptions{Progress: func(p engine.Progress) { bar.show(p.Stage, p.Done, p.Total) }})
	bar.end()
	if err != nil {
		machine.Close()
		return nil, done, err
	}
	return e, done, nil
}

func picture(m *engine.Image) image.Image {
	return &image.NRGBA{Pix: m.RGBA, Stride: 4 * m.W, Rect: image.Rect(0, 0, m.W, m.H)}
}

// maxGuidance bounds a file of directions, in bytes.
const maxGuidance = 1 << 20

func readTerms(ctx context.Context, name string) ([]engine.Term, error) {
	text, err := input.Read(ctx, name, maxGuidance)
	if err != nil {
		return nil, err
	}
	var terms []engine.Term
	if err := strictJSON(text, &terms); err != nil {
		return nil, fault.Wrap(err, fault.GuidanceInvalid, "%s is not a JSON list of directions", name)
	}
	for i, t := range terms {
		if t.Positive == "" && t.Negative == "" {
			return nil, fault.New(fault.GuidanceInvalid, "direction %d of %s has neither positive nor negative words, so it leads nowhere", i+1, name)
		}
	}
	return terms, nil
}

// hasEffect refuses guidance by flags that would change nothing, which nobody asks
// for on purpose. A weight of 0 is asked for where it is given.
func hasEffect(given map[string]bool, positive, negative string) error {
	switch {
	case positive == "" && negative == "":
		return usagef("guidance needs words: say what to steer towards with --positive, or away from with --negative")
	case !given["weight"] && !given["head"]:
		return usagef("--positive and --negative do nothing without a strength: give --weight, or --head")
	}
	return nil
}

// parseSchedule reads the short form of a schedule, KIND[:FIRST[-LAST]][/OF], or
// its JSON.
func parseSchedule(s string) (guidance.Schedule, error) {
	bad := func(err error) error {
		return fault.Wrap(err, fault.GuidanceInvalid, "schedule %q; wanted constant, step:FIRST, window:FIRST-LAST, bumps (each perhaps with /OF), or JSON", s)
	}
	var out guidance.Schedule
	text, ok := recipe.ScheduleJSON(s)
	if !ok {
		return out, bad(nil)
	}
	if err := strictJSON([]byte(text), &out); err != nil {
		return out, bad(err)
	}
	return out, nil
}

// strictJSON decodes one JSON value without unknown keys and nothing behind it.
func strictJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more behind the JSON value")
	}
	return nil
}

// bar draws progress on a terminal, and nothing elsewhere.
type bar struct {
	w     io.Writer
	begin time.Time
	drawn bool
}

func newBar(w io.Writer) *bar {
	b := &bar{begin: time.Now()}
	if f, ok := raw(w).(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			b.w = f
		}
	}
	return b
}

func (b *bar) show(what string, done, total int64) {
	if b.w == nil {
		return
	}
	const width = 30
	full := 0
	if total > 0 {
		full = int(done * width / total)
	}
	fmt.Fprintf(b.w, "\r%-8s [%s%s] %5.1f s ", what, strings.Repeat("#", full), strings.Repeat(".", width-full), time.Since(b.begin).Seconds())
	b.drawn = true
}

func (b *bar) end() {
	if b.drawn {
		fmt.Fprintln(b.w)
		b.drawn = false
	}
}
