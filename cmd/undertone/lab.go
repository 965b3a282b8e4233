package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/lab"
)

// maxResults bounds a file of results, in bytes.
const maxResults = 64 << 20

// votesCommand stands in the place of an experiment: files of votes are put together.
const votesCommand = "votes"

// labFlags are what the command line of lab says.
type labFlags struct {
	experiment   lab.Experiment
	paths        []string
	out, prompts string
	asked        lab.Asked
}

// experiment runs one of the lab's experiments on the CPU, or goes on with it.
func experiment(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, err := parseLab(args, stdout, stderr)
	if f == nil || err != nil {
		return err
	}
	if f.experiment.Voted {
		return f.votes(ctx, stdout)
	}
	bar := newBar(stderr)
	e, done, err := load(ctx, f.paths, "", bar)
	defer done()
	if err != nil {
		return err
	}
	defer e.Close()
	info := e.Info()
	setting, err := f.setting(ctx, info.Description, e.Defaults())
	if err != nil {
		return err
	}
	results := lab.NewResults(f.experiment, setting, info.Precision)
	file := filepath.Join(f.out, f.experiment.Name+".json")
	switch old, err := readResults(ctx, file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := results.Resume(old); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	written, already := time.Now(), len(results.Rows)
	machine := lab.Machine{Judge: e.Judge, Encode: e.Encode, Show: func(t lab.Trial, made, base *recipe.Image) {
		results.Show(t, made, base, encodeJPEG)
	}, Draw: func(ctx context.Context, r recipe.Request) (*recipe.Result, error) {
		return e.Generate(ctx, r, nil)
	}}
	err = lab.Run(ctx, f.experiment, setting, machine, results.Rows, func(r lab.Row, left int) error {
		results.Add(r, left)
		bar.show("picture", int64(len(results.Rows)), int64(len(results.Rows)+left))
		if time.Since(written) < 5*time.Second {
			return nil
		}
		written = time.Now()
		return writeResults(file, results)
	})
	bar.end()
	results.Whole = err == nil
	if err == nil || len(results.Rows) > already {
		err = errors.Join(err, writeResults(file, results))
	}
	if err != nil {
		return err
	}
	if already > 0 {
		fmt.Fprintf(stdout, "%d of %d pictures were there\n", already, len(results.Rows))
	}
	return publishResults(f, results, stdout)
}

// encodeJPEG writes a picture as a JPEG file.
func encodeJPEG(p *recipe.Image) []byte {
	var b bytes.Buffer
	picture := &image.RGBA{Pix: p.RGBA, Stride: 4 * p.W, Rect: image.Rect(0, 0, p.W, p.H)}
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 85}); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

func parseLab(args []string, stdout, stderr io.Writer) (*labFlags, error) {
	fs, f := flags("lab", "EXPERIMENT MODEL_DIR|PATH… or votes FILE…", stderr), &labFlags{}
	fs.StringVar(&f.out, "out", "lab", "the `FOLDER` for NAME.json, NAME.csv, NAME.svg, NAME.md and NAME-pictures.svg; an interrupted experiment goes on there")
	fs.StringVar(&f.prompts, "prompts", "", "a text `FILE` with a prompt in each line; without this flag, the model's examples")
	fs.IntVar(&f.asked.Number, "number", 8, "how many of the prompts are used, from the first on")
	fs.IntVar(&f.asked.Seeds, "seeds", 2, "how many seeds each prompt is drawn with: 0, 1, …")
	fs.StringVar(&f.asked.Preset, "preset", "", "the model's preset that is steered along; without this flag, the first")
	fs.StringVar(&f.asked.Positive, "positive", "", "steer towards these `WORDS`, in the place of a preset's")
	fs.StringVar(&f.asked.Negative, "negative", "", "and away from these `WORDS`")
	fs.Func("words", "of the prompts, for the experiments on attention: which to look at; without this flag, those that the judge knows", func(text string) error {
		f.asked.Words = []string{text}
		return nil
	})
	fs.StringVar(&f.asked.Distance, "distance", "", fmt.Sprintf("one of %v, where no judge speaks; without this flag, what the experiment proposes", lab.Distances))
	fs.IntVar(&f.asked.Steps, "steps", 0, "without this flag, the model's own number")
	sizeFlag(fs, &f.asked.Size)
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() == 0 {
		for _, e := range lab.Experiments {
			fmt.Fprintf(stdout, "%-8s %s\n", e.Name, e.Question)
		}
		return nil, nil
	}
	name, together := fs.Arg(0), fs.Arg(0) == votesCommand
	if together {
		name = "people"
	}
	var err error
	if f.experiment, err = lab.Find(name); err != nil {
		return nil, usagef("%v", err)
	}
	if f.experiment.Voted && !together {
		return nil, usagef("%s asks people, which the Lab in the browser does; undertone lab %s FILE… puts the files that it saves together", name, votesCommand)
	}
	f.asked.Experiment = f.experiment.Name
	switch f.paths = fs.Args()[1:]; {
	case together && len(f.paths) == 0:
		return nil, usagef("name the files of votes, which the Lab in the browser saves as JSON")
	case len(f.paths) == 0:
		return nil, usagef("name one model folder, or the published files of one model")
	}
	if f.asked.Preset != "" && (f.asked.Positive != "" || f.asked.Negative != "") {
		return nil, usagef("--preset and --positive or --negative: name the one or the other")
	}
	if f.asked.Number < 1 || f.asked.Number > lab.MostPrompts || f.asked.Seeds < 1 || f.asked.Seeds > lab.MostSeeds {
		return nil, usagef("--number %d and --seeds %d: each may be 1 to %d", f.asked.Number, f.asked.Seeds, lab.MostSeeds)
	}
	return f, nil
}

// setting is what the flags say, with the model's own where they say nothing.
func (f *labFlags) setting(ctx context.Context, d recipe.Description, base recipe.Request) (lab.Setting, error) {
	if f.prompts != "" {
		text, err := input.Read(ctx, f.prompts, maxResults)
		if err != nil {
			return lab.Setting{}, err
		}
		f.asked.Prompts = lab.Lines(string(text))
	}
	return f.asked.Setting(d, base)
}

func readResults(ctx context.Context, file string) (*lab.Results, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	text, err := input.Read(ctx, file, maxResults)
	if err != nil {
		return nil, err
	}
	var r lab.Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s holds no results of an experiment: %w", file, err)
	}
	return &r, nil
}

func writeResults(file string, r *lab.Results) error {
	r.Sum()
	return weights.WriteFile(file, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(r)
	})
}

// publishResults writes the table and the plot beside the results.
func publishResults(f *labFlags, r *lab.Results, stdout io.Writer) error {
	files := map[string]func(io.Writer) error{".csv": r.WriteCSV, ".svg": r.WriteSVG, ".md": r.WriteMarkdown}
	if len(r.Thumbs) > 0 {
		files["-pictures.svg"] = r.WriteSheet
	}
	for ext, write := range files {
		if err := weights.WriteFile(filepath.Join(f.out, r.Experiment+ext), write); err != nil {
			return err
		}
	}
	return r.WriteText(stdout)
}
