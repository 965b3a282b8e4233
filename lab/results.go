package lab

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Results are an experiment's rows with everything that they depend on.
type Results struct {
	Experiment string         `json:"experiment"`
	Question   string         `json:"question"`
	X          string         `json:"x"`
	Y          string         `json:"y"`
	Price      string         `json:"price,omitempty"` // the second measure, where there is one
	Paper      string         `json:"paper,omitempty"`
	Here       string         `json:"here"`
	Grid       bool           `json:"grid,omitempty"`
	Model      string         `json:"model"`
	Revision   string         `json:"revision"`
	Precision  string         `json:"precision"` // of the transformer's weights
	Base       recipe.Request `json:"base"`      // what the experiment does not vary
	Direction  recipe.Term    `json:"direction"`
	Words      []string       `json:"words,omitempty"` // see Setting
	Drawn      []float64      `json:"drawn,omitempty"`
	Prompts    []string       `json:"prompts"`
	Seeds      []uint32       `json:"seeds"`
	Whole      bool           `json:"whole"` // every trial has a row
	Means      []Mean         `json:"means"`
	Rows       []Row          `json:"rows"`
	Thumbs     []Thumb        `json:"thumbs,omitempty"` // see Sheet
}

// NewResults are those of an experiment that has not begun.
func NewResults(e Experiment, s Setting, precision string) *Results {
	r := &Results{
		Experiment: e.Name, Question: e.Question, X: e.X, Paper: e.Paper, Here: e.Here, Grid: e.Grid,
		Model: s.Model.Model, Revision: s.Model.Revision, Precision: precision,
		Base: s.Base, Direction: s.Direction, Words: s.Words, Drawn: s.Drawn, Prompts: s.Prompts, Seeds: s.Seeds,
	}
	for i, m := range e.Measures(s) {
		*[]*string{&r.Y, &r.Price}[i] = m.Label
	}
	return r
}

// Resume takes over the rows of an earlier run, which has to have been of the same
// experiment, model and setting (fault.RequestInvalid).
func (r *Results) Resume(old *Results) error {
	setting := func(r *Results) string {
		only := *r
		only.Whole, only.Means, only.Rows, only.Thumbs = false, nil, nil, nil
		text, err := json.Marshal(only)
		if err != nil {
			panic(err) // as in the file that is read and written
		}
		return string(text)
	}
	if setting(old) != setting(r) {
		return fault.New(fault.RequestInvalid, "there are results of the experiment %.40q with another model or setting: choose another folder for these", old.Experiment)
	}
	r.Rows, r.Thumbs = slices.Clone(old.Rows), slices.Clone(old.Thumbs)
	return nil
}

// Merge takes over the votes of other people, in a file of the same experiment, model and
// setting (fault.RequestInvalid), and tells how many were new.
func (r *Results) Merge(other *Results) (added int, err error) {
	own := r.Rows
	if err := r.Resume(other); err != nil {
		return 0, err
	}
	theirs := r.Rows
	r.Rows = own
	for _, row := range theirs {
		if !slices.ContainsFunc(r.Rows, func(had Row) bool { return had.Point == row.Point && had.By == row.By }) {
			r.Rows = append(r.Rows, row)
			added++
		}
	}
	return added, nil
}

// Add takes a row; left is how many are to come.
func (r *Results) Add(row Row, left int) {
	r.Rows = append(r.Rows, row)
	r.Whole = left == 0
}

// Sum computes the means of the rows.
func (r *Results) Sum() { r.Means = Means(r.Rows) }

// WriteCSV writes the rows, with a line of names above them.
func (r *Results) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	columns := 5 + min(1, len(r.Price))
	c.Write([]string{"series", "x", "prompt", "seed", "value", "price"}[:columns])
	for _, row := range r.Rows {
		c.Write([]string{row.Series, number(row.X), row.Prompt, fmt.Sprint(row.Seed), number(row.Value), number(row.Price)}[:columns])
	}
	c.Flush()
	return c.Error()
}

// WriteText writes the means as a table for people.
func (r *Results) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n%s, by %s; mean with its 95 %% interval\n", r.Question, r.Y, r.X)
	for i, m := range r.Means {
		if err != nil {
			return err
		}
		if i == 0 || r.Means[i-1].Series != m.Series {
			fmt.Fprintf(w, "\n%s\n", m.Series)
		}
		note := ""
		if r.Price != "" {
			note = fmt.Sprintf("  %s %.3g (%.3g to %.3g)", r.Price, m.Price, m.PriceLow, m.PriceHigh)
		}
		if m.Unsure() {
			note += "  no difference seen"
		}
		_, err = fmt.Fprintf(w, "  %8g  %9.4g  (%.4g to %.4g)  n = %d%s\n", m.X, m.Mean, m.Low, m.High, m.N, note)
	}
	conclusion, _ := r.Conclude()
	for _, text := range []string{conclusion, r.Paper, r.Here} {
		if text != "" && err == nil {
			_, err = fmt.Fprintf(w, "\n%s\n", text)
		}
	}
	return err
}

// WriteMarkdown writes the means as a table of a document, as of a model's card.
func (r *Results) WriteMarkdown(w io.Writer) error {
	cell := func(middle, low, high float64) string { return fmt.Sprintf("%.4g (%.4g to %.4g)", middle, low, high) }
	plain := strings.NewReplacer("|", "\\|", "\n", " ").Replace
	columns, rule := []string{"series", r.X, r.Y, r.Price, "n"}, "| --- | ---: | ---: | ---: | ---: |"
	if r.Price == "" {
		columns, rule = slices.Delete(columns, 3, 4), "| --- | ---: | ---: | ---: |"
	}
	_, err := fmt.Fprintf(w, "| %s |\n%s\n", strings.Join(columns, " | "), rule)
	for _, m := range r.Means {
		cells := []string{plain(m.Series), fmt.Sprintf("%g", m.X), cell(m.Mean, m.Low, m.High), cell(m.Price, m.PriceLow, m.PriceHigh), fmt.Sprint(m.N)}
		if r.Price == "" {
			cells = slices.Delete(cells, 3, 4)
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	if said, _ := r.Conclude(); said != "" && err == nil {
		_, err = fmt.Fprintf(w, "\n%s\n", said)
	}
	return err
}
