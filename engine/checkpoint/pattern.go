package checkpoint

import (
	"strconv"
	"strings"
)

// A pattern is a tensor's name in which {N} and {M} stand for numbers. Two more are
// found from the file: {last} is the highest {N}, {last-N} what is left up to it, and
// {N+1} is the number after.
type pattern struct {
	text     string // as it is written
	literals []string
	holes    []hole // between the literals
}

// hole is one placeholder.
type hole string

const (
	holeN     hole = "N"
	holeM     hole = "M"
	holeNext  hole = "N+1"
	holeFlip  hole = "last-N"
	holeLast  hole = "last"
	maxDigits      = 4 // of a number in a name
)

// numbers are what the holes of a name hold.
type numbers struct{ n, m, last int }

// parsePattern panics where a table is written wrongly: the tables are part of the program.
func parsePattern(text string) pattern {
	p := pattern{text: text}
	rest := text
	for {
		literal, after, found := strings.Cut(rest, "{")
		p.literals = append(p.literals, literal)
		if !found {
			return p
		}
		name, tail, closed := strings.Cut(after, "}")
		switch h := hole(name); {
		case !closed:
			panic("checkpoint: the pattern " + text + " is not closed")
		case h != holeN && h != holeM && h != holeNext && h != holeFlip && h != holeLast:
			panic("checkpoint: the pattern " + text + " has an unknown placeholder")
		default:
			p.holes = append(p.holes, h)
		}
		rest = tail
	}
}

// match finds the numbers that make the pattern this name.
func (p pattern) match(name string) (at numbers, ok bool) {
	rest, ok := strings.CutPrefix(name, p.literals[0])
	for i := 0; ok && i < len(p.holes); i++ {
		var n int
		if n, rest, ok = leadingNumber(rest); !ok {
			return at, false
		}
		if p.holes[i] == holeM {
			at.m = n
		} else {
			at.n = n
		}
		literal := p.literals[i+1]
		if i+1 == len(p.holes) {
			return at, rest == literal
		}
		rest, ok = strings.CutPrefix(rest, literal)
	}
	return at, ok && rest == ""
}

// leadingNumber reads the number that a text begins with, as names write it: without
// zeros before it.
func leadingNumber(text string) (n int, rest string, ok bool) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	if i == 0 || i > maxDigits || i > 1 && text[0] == '0' {
		return 0, text, false
	}
	n, err := strconv.Atoi(text[:i])
	return n, text[i:], err == nil
}

// name fills the holes.
func (p pattern) name(at numbers) string {
	var out strings.Builder
	out.WriteString(p.literals[0])
	for i, h := range p.holes {
		n := at.n
		switch h {
		case holeM:
			n = at.m
		case holeNext:
			n++
		case holeFlip:
			n = at.last - n
		case holeLast:
			n = at.last
		}
		out.WriteString(strconv.Itoa(n))
		out.WriteString(p.literals[i+1])
	}
	return out.String()
}

// has reports whether the pattern has a hole of a kind.
func (p pattern) has(h hole) bool {
	for _, x := range p.holes {
		if x == h {
			return true
		}
	}
	return false
}
