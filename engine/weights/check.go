package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// Caps on what a manifest may claim.
const (
	maxFileBytes = 64 << 30
	maxPathBytes = 255
	maxSteps     = 1000
	maxSide      = 4096
	maxFrames    = 4096
	maxList      = 1024
)

// tokenizerRole is the role of the only files that are no weights.
const tokenizerRole = "tokenizer"

// optionalRoles are those of files that pictures from words do without.
var optionalRoles = []string{RoleEncoder, RoleJudge}

// roles are those of files that every model has.
var roles = []string{"dit", "text", "vae", tokenizerRole}

// maxFiles is how many files a model may have.
const maxFiles = 3 + (1+maxWords)*maxEncoders

// slug is the form of what becomes part of addresses, name that of references within
// a manifest.
const slug, name = word("-"), word("-_")

// word is a form of words: 1 to 64 lower-case letters and digits, and behind the first of
// them also these marks.
type word string

func (marks word) matches(s string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789"
	return len(s) >= 1 && len(s) <= 64 && strings.Contains(plain, s[:1]) && strings.Trim(s, plain+string(marks)) == ""
}

// A checker collects the first thing that is wrong with a manifest.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fault.New(fault.ManifestInvalid, "model.json: "+format, args...)
	}
}

func (c *checker) whole(what string, v, low, high int64) {
	if v < low || v > high {
		c.fail("%s is %d, wanted %d to %d", what, v, low, high)
	}
}

func (c *checker) number(what string, v, low, high float64) {
	if !(v >= low && v <= high) {
		c.fail("%s is %g, wanted %g to %g", what, v, low, high)
	}
}

// words wants printable text of 1 to limit bytes.
func (c *checker) words(what, s string, limit int) {
	if len(s) < 1 || len(s) > limit {
		c.fail("%s has %d bytes, wanted 1 to %d", what, len(s), limit)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		c.fail("%s has an unprintable character at byte %d", what, i)
	}
}

func (c *checker) list(what string, items []string, limit int) {
	c.whole("the length of "+what, int64(len(items)), 0, maxList)
	for i, s := range items {
		if c.err != nil {
			return
		}
		if s == "" || len(s) > limit {
			c.words(fmt.Sprintf("%s[%d]", what, i), s, limit)
		}
	}
}

// check wants every value in range. Files that a model.json lists have hashes.
func (m *Manifest) check() error { return m.checkAll(true) }

func (m *Manifest) checkAll(hashed bool) error {
	c := &checker{}
	if !slug.matches(m.Name) {
		c.fail("name %.80q must be 1 to 64 of a-z, 0-9 and -", m.Name)
	}
	if !slug.matches(m.Family) {
		c.fail("family %.80q must be 1 to 64 of a-z, 0-9 and -", m.Family)
	}
	c.words("title", m.Title, 200)
	c.words("revision", m.Revision, 64)
	c.words("licenses.weights", m.Licenses.Weights, 200)
	c.words("licenses.data", m.Licenses.Data, 1000)
	m.checkFiles(c, hashed)
	m.checkComponents(c)
	m.checkOffers(c)
	m.checkJudge(c)
	if c.err == nil {
		c.err = m.Scheduler.Validate()
	}
	return c.err
}

func (m *Manifest) checkFiles(c *checker, hashed bool) {
	c.whole("the number of files", int64(len(m.Files)), int64(len(roles)), maxFiles)
	paths, names := map[string]bool{}, map[string]bool{}
	for i := range m.Files {
		f := &m.Files[i]
		if c.err != nil {
			return
		}
		checkPath(c, f.Path)
		if paths[f.Path] {
			c.fail("two files have the path %q", f.Path)
		}
		paths[f.Path] = true
		if !slices.Contains(roles, f.Role) && !f.Optional() {
			c.fail("%s has the role %.80q, wanted one of %q and %q", f.Path, f.Role, roles, optionalRoles)
		}
		if !name.matches(f.Name) || names[f.Name] {
			c.fail("the name %.80q of %s must be unique and 1 to 64 of a-z, 0-9, _ and -", f.Name, f.Path)
		}
		names[f.Name] = true
		c.whole("bytes of "+f.Path, f.Bytes, 1, maxFileBytes)
		if !hashed {
			continue
		}
		if want := op.CeilDiv(f.Bytes, PieceSize); c.err == nil && int64(len(f.Pieces)) != want {
			c.fail("%s of %d bytes has %d pieces, wanted %d", f.Path, f.Bytes, len(f.Pieces), want)
		}
		checkHashes(c, f)
	}
}

// checkPath wants a plain relative path: it becomes part of an address and of
// the names of files, so nothing in it may mean anything else there.
func checkPath(c *checker, p string) {
	if len(p) < 1 || len(p) > maxPathBytes {
		c.fail("a path has %d bytes, wanted 1 to %d", len(p), maxPathBytes)
	}
	for _, part := range strings.Split(p, "/") {
		if part == "" || part[0] == '.' {
			c.fail("path %.255q must be relative, without empty parts, \"..\" or hidden names", p)
		}
		for _, r := range part {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-') {
				c.fail("path %.255q has the character %q; allowed are letters, digits and . _ - /", p, r)
			}
		}
	}
}

// checkHashes wants lower-case SHA-256 and that the root is that of the pieces.
func checkHashes(c *checker, f *File) {
	root, piece := sha256.New(), [sha256.Size]byte{}
	for i, h := range f.Pieces {
		if !decodeHash(piece[:], h) {
			c.fail("piece %d of %s has the hash %.80q, wanted 64 lower-case hexadecimal digits", i, f.Path, h)
			return
		}
		root.Write(piece[:])
	}
	if got := hex.EncodeToString(root.Sum(nil)); got != f.SHA256 {
		c.fail("%s has the root %.80q, its pieces give %s", f.Path, f.SHA256, got)
	}
}

func decodeHash(dst []byte, s string) bool {
	if len(s) != 2*len(dst) || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.Decode(dst, []byte(s))
	return err == nil
}

func (m *Manifest) checkOffers(c *checker) {
	c.whole("max_steps", int64(m.MaxSteps), 1, maxSteps)
	c.whole("the number of sizes", int64(len(m.Sizes)), 1, 64)
	offered := false
	for i, s := range m.Sizes {
		for _, side := range []int{s.Width, s.Height} {
			c.whole(fmt.Sprintf("a side of sizes[%d]", i), int64(side), 16, maxSide)
		}
		c.whole(fmt.Sprintf("the frames of sizes[%d]", i), int64(s.Frames), 0, maxFrames)
		offered = offered || s == m.Defaults.Size
	}
	d := m.Defaults
	c.whole("defaults.steps", int64(d.Steps), 1, int64(m.MaxSteps))
	c.whole("defaults.edit_steps", int64(d.EditSteps), 0, int64(m.MaxSteps))
	if !offered {
		c.fail("defaults.size %v is not among the sizes %v", d.Size, m.Sizes)
	}
	if n := m.Scheduler.FixedSteps(); n > 0 && (m.MaxSteps != n || d.Steps != n) {
		c.fail("max_steps is %d and defaults.steps %d, the scheduler lists %d steps", m.MaxSteps, d.Steps, n)
	}
	if n := m.Scheduler.FixedSteps(); n > 0 && d.EditSteps > 0 && d.EditSteps != n {
		c.fail("defaults.edit_steps is %d, the scheduler lists %d steps", d.EditSteps, n)
	}
	c.number("defaults.cfg", d.CFG, 0, recipe.MaxCFG)
	c.whole("the length of defaults.prompt", int64(len(d.Prompt)), 0, 4096)
	c.whole("the number of presets", int64(len(m.Presets)), 0, 64)
	ids := map[string]bool{}
	for _, p := range m.Presets {
		if !slug.matches(p.ID) || ids[p.ID] {
			c.fail("the preset id %.80q must be unique and 1 to 64 of a-z, 0-9 and -", p.ID)
		}
		ids[p.ID] = true
		c.words("the title of preset "+p.ID, p.Title, 200)
		c.whole("the words of preset "+p.ID, int64(max(len(p.Positive), len(p.Negative))), 0, 4096)
		c.number("the weight of preset "+p.ID, math.Abs(p.Weight), 0, recipe.MaxWeight)
		c.number("the head weight of preset "+p.ID, math.Abs(p.Head), 0, recipe.MaxWeight)
		if len(p.Range) != 0 {
			if len(p.Range) != 2 || !(p.Range[0] < p.Range[1]) {
				c.fail("the range of preset %s must be two weights, the lower first", p.ID)
			} else {
				c.number("the range of preset "+p.ID, math.Max(-p.Range[0], p.Range[1]), 0, recipe.MaxWeight)
			}
		}
		if !bytes.HasPrefix(p.Schedule, []byte("{")) {
			c.fail("the schedule of preset %s must be an object", p.ID)
		}
	}
	u := m.Understands
	for _, l := range []struct {
		what  string
		items []string
	}{
		{"objects", u.Objects}, {"colours", u.Colours}, {"counts", u.Counts}, {"places", u.Places},
		{"styles", u.Styles}, {"quality", u.Quality}, {"relations", u.Relations},
		{"uncoloured", u.Uncoloured},
	} {
		c.list("understands."+l.what, l.items, 200)
	}
	for known, unknown := range u.Near {
		c.words("a word of understands.near", known, 200)
		c.list("understands.near."+known, unknown, 200)
	}
	if u.Keep != "" {
		c.words("understands.keep", u.Keep, 200)
	}
	c.list("examples", m.Examples, 4096)
	if m.Rounding != 0 && m.Rounding != 16 {
		c.fail("rounding is %d, possible is 16", m.Rounding)
	}
}
