package conform

import (
	"context"
	"fmt"
	"path/filepath"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Limit is what networks are held to where Options say nothing: the root mean square
// of the difference relative to that of the truth, in float32.
const Limit = 1e-5

// elementLimit is how far a single element may be off, relative to the root mean square
// of the truth: one wrong number among thousands hides in a mean. Of what the CPU
// backend computes, the worst element of any output is off by up to 15 times the mean.
const elementLimit = 4e-5

// Options say how to compare.
type Options struct {
	Limit      float64      // of networks; 0: Limit. Schedules, ids and weights have their own.
	Vocabulary string       // file of CLIP's vocabulary, which its tokenizer's cases need
	Tell       func(Result) // called with every result as it is there; may be nil
}

// Result is one output compared.
type Result struct {
	Prefix string  // without folders; ends in .diffusers for the weights under those names
	Case   string  // empty where no case could be begun
	Output string  // empty where the case could not be computed
	Error  float64 // how far off; meaningless where Why says something
	Limit  float64
	OK     bool
	Why    string // of a failure that the error does not tell
}

// String is the result on one line: PREFIX CASE OUTPUT ERROR and "ok", or "FAILED:" and
// the reason. What does not apply is a "-".
func (r Result) String() string {
	or := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	at := r.Prefix + " " + or(r.Case) + " " + or(r.Output)
	switch {
	case r.OK:
		return fmt.Sprintf("%s %.2g ok", at, r.Error)
	case r.Why != "":
		return fmt.Sprintf("%s - FAILED: %s", at, r.Why)
	}
	return fmt.Sprintf("%s %.2g FAILED: the limit is %g", at, r.Error, r.Limit)
}

// Report is what a prefix gave.
type Report struct {
	Results []Result
}

// Failed counts the results that are not OK.
func (r *Report) Failed() (n int) {
	for _, one := range r.Results {
		if !one.OK {
			n++
		}
	}
	return n
}

// Run compares everything that a prefix names, on a machine that stays open. What is
// wrong with a file is a result; the error is that of a context which ended (Aborted).
func Run(ctx context.Context, be op.Backend, prefix string, opt Options) (*Report, error) {
	if opt.Limit == 0 {
		opt.Limit = Limit
	}
	r := &run{ctx: ctx, be: be, opt: opt, folder: filepath.Dir(prefix), base: filepath.Base(prefix), report: &Report{}}
	r.label = r.base
	if err := r.all(); err != nil {
		r.fail("", "", err)
	}
	if len(r.report.Results) == 0 {
		r.fail("", "", fmt.Errorf("there is nothing to compare"))
	}
	if ctx.Err() != nil {
		return r.report, fault.Wrap(context.Cause(ctx), fault.Aborted, "the comparison of %s was stopped", prefix)
	}
	return r.report, nil
}

// run is one prefix being compared.
type run struct {
	ctx          context.Context
	be           op.Backend
	opt          Options
	folder, base string
	label        string // Result.Prefix
	desc         description
	cases        *tensors
	asides       map[string]aside // of the family
	flat         bool             // its file has one case, whose name no tensor has
	report       *Report
}

func (r *run) add(x Result) {
	x.Prefix = r.label
	r.report.Results = append(r.report.Results, x)
	if r.opt.Tell != nil {
		r.opt.Tell(x)
	}
}

// fail adds a failure that no number tells.
func (r *run) fail(at, output string, why error) {
	r.add(Result{Case: at, Output: output, Why: why.Error()})
}

// all finds out what the prefix is and compares it.
func (r *run) all() (err error) {
	if r.desc, err = describe(r.path(".json")); err != nil {
		return err
	}
	switch {
	case r.desc.Family == distilledFamily:
		return r.distillation()
	case r.desc.WeightsOf != "":
		return r.publishedSampler()
	case r.desc.Family != "": // families of videos have schedules of another kind beside their cases
		return r.network()
	case r.desc.Schedules != nil:
		return r.schedules()
	case r.desc.tokenizer():
		return r.tokenizer()
	case r.desc.Pipeline != "":
		return r.pipeline()
	}
	return fault.New(fault.ModelUnsupported, "%s names no family and no pipeline", r.path(".json"))
}

// path is a file of the prefix.
func (r *run) path(ending string) string { return filepath.Join(r.folder, r.base+ending) }

// eachCase computes every case with a family's check and tells what was not compared.
// A machine that has failed fails in every case after it.
func (r *run) eachCase(check func(c *check) error) error {
	described, err := r.desc.cases()
	if err != nil {
		return err
	}
	if r.cases, err = openTensors(r.path(".cases.safetensors")); err != nil {
		return err
	}
	defer r.cases.close()
	for _, name := range r.cases.names(described) {
		if r.ctx.Err() != nil {
			return nil // Run tells
		}
		c := newCheck(r, name, described)
		if beside, ok := r.asides[name]; ok {
			c.err, c.desc = nil, described[name]
			beside(c)
		} else if c.err == nil {
			if err := check(c); c.err == nil {
				c.err = err
			}
		}
		c.free()
		if c.err != nil {
			r.fail(name, "", c.err)
		}
		c.leftovers()
	}
	return nil
}
