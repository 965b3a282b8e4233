package checkpoint

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// tables are those of names, one for each network and each way of naming it:
//
//	is FLUX.1                     what it is, for people
//	kind flux                     which loader of the engine reads it
//	prefix . vae.                 what may stand before every name; . is nothing
//	sign a.weight !b.weight c|d   the tensors that every such file has, and that none has; one of c and d
//	OURS                          a tensor that is called the same here and there
//	OURS <- THEIRS                a tensor that is called THEIRS there
//	OURS <- A + B + C             the rows of A, then those of B, then those of C
//	OURS <- swap THEIRS           the second half of the rows, then the first
//	? OURS …                      some files have it
//	< OURS …                      the last block does not have it
//
// OURS are the names that the engine's loaders ask for. See pattern for the
// placeholders; .* at the end stands for .weight and .bias. Where two lines make the
// same tensor, the first that can be made counts.
//
//go:embed maps/*.map
var tables embed.FS

// layout is one table.
type layout struct {
	title    string
	kind     string
	prefixes []string
	sign     []string
	rows     []row
}

// row makes one of the engine's tensors, or one of each block.
type row struct {
	to       pattern
	from     []pattern
	swap     bool
	optional bool // some files have it
	notLast  bool // the last block does not have it
}

// layouts are read when the first file is to be identified: most programs that link this
// package never do.
var layouts = sync.OnceValue(readLayouts)

func readLayouts() (all []layout) {
	entries, err := tables.ReadDir("maps")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		text, err := tables.ReadFile("maps/" + e.Name())
		if err != nil {
			panic(err)
		}
		l, err := parseLayout(string(text))
		if err != nil {
			panic(fmt.Sprintf("checkpoint: maps/%s: %v", e.Name(), err))
		}
		all = append(all, l)
	}
	return all
}

func parseLayout(text string) (l layout, err error) {
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "#"):
		case words[0] == "is":
			l.title = strings.Join(words[1:], " ")
		case words[0] == "kind" && len(words) == 2:
			l.kind = words[1]
		case words[0] == "prefix":
			for _, p := range words[1:] {
				l.prefixes = append(l.prefixes, strings.TrimPrefix(p, "."))
			}
		case words[0] == "sign":
			l.sign = words[1:]
		default:
			rows, ok := parseRow(words)
			if !ok {
				return l, fmt.Errorf("line %d: %s", i+1, line)
			}
			l.rows = append(l.rows, rows...)
		}
	}
	if l.title == "" || l.kind == "" || len(l.prefixes) == 0 || len(l.sign) == 0 || len(l.rows) == 0 {
		return l, fmt.Errorf("one of is, kind, prefix, sign and the names is missing")
	}
	return l, nil
}

// parseRow reads the words of a line: one row, or two where it ends in .*.
func parseRow(words []string) (rows []row, ok bool) {
	var r row
	switch words[0] {
	case "?":
		r.optional, words = true, words[1:]
	case "<":
		r.notLast, words = true, words[1:]
	}
	if len(words) == 1 {
		words = []string{words[0], "<-", words[0]}
	}
	if len(words) > 3 && words[2] == "swap" {
		r.swap, words = true, slices.Delete(slices.Clone(words), 2, 3)
	}
	if len(words) < 3 || len(words)%2 == 0 || words[1] != "<-" {
		return nil, false
	}
	for i := 3; i < len(words); i += 2 {
		if words[i] != "+" {
			return nil, false
		}
	}
	suffixes := []string{""}
	if strings.HasSuffix(words[0], ".*") {
		suffixes = []string{".weight", ".bias"}
	}
	for _, s := range suffixes {
		of := func(word string) pattern { return parsePattern(strings.TrimSuffix(word, ".*") + s) }
		x := r
		x.to = of(words[0])
		for i := 2; i < len(words); i += 2 {
			x.from = append(x.from, of(words[i]))
		}
		rows = append(rows, x)
	}
	return rows, true
}
