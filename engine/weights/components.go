package weights

import (
	"encoding/json"
	"fmt"
	"slices"

	"undertone/engine/recipe"
)

// Roles of components.
const (
	RoleText        = "text"        // a text encoder, with its tokenizer
	RoleTransformer = "transformer" // predicts the velocity
	RoleDecoder     = "decoder"     // draws the latent
	RoleEncoder     = "encoder"     // makes a latent of a picture; only models that edit have one
)

// Component is one network of a model. Its configuration belongs to the loader of
// its kind, which checks it (see Decode).
type Component struct {
	Role       string          `json:"role"`           // RoleText, RoleTransformer, RoleDecoder or RoleEncoder
	Kind       string          `json:"kind"`           // which loader understands Config: "flux", "clip", "tiny"
	Name       string          `json:"name,omitempty"` // of a text encoder, by which a transformer finds it
	Config     json.RawMessage `json:"config"`
	File       string          `json:"file"`                // the name of its weight file
	Shared     Names           `json:"shared,omitempty"`    // the names of files with the rest of its tensors, which other models have too
	Tokenizer  Names           `json:"tokenizer,omitempty"` // the names of the files of a text encoder's tokenizer: one or two
	Parameters int64           `json:"parameters"`
}

// String names the component to people.
func (c Component) String() string {
	switch c.Role {
	case RoleText:
		return fmt.Sprintf("text encoder %.64q", c.Name)
	case RoleTransformer, RoleDecoder, RoleEncoder:
		return c.Role
	}
	return fmt.Sprintf("component of the role %.64q", c.Role)
}

// Names are those of files. As JSON one is a word, several are a list of words.
type Names []string

// MarshalJSON writes one name as a word.
func (n Names) MarshalJSON() ([]byte, error) {
	if len(n) == 1 {
		return json.Marshal(n[0])
	}
	return json.Marshal([]string(n))
}

// UnmarshalJSON reads a word or a list of words.
func (n *Names) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(n))
	}
	*n = Names{""}
	return json.Unmarshal(text, &(*n)[0])
}

// maxWords is how many files a tokenizer may have: a vocabulary and its merges.
const maxWords = 2

// maxShared is how many files with the rest of its tensors a component may have.
const maxShared = 4

// maxEncoders is how many text encoders a model may have; HiDream has four.
const maxEncoders = 8

// fileRoles are the roles of the files that components of a role have.
var fileRoles = map[string]string{RoleText: "text", RoleTransformer: "dit", RoleDecoder: "vae", RoleEncoder: RoleEncoder}

// Of finds the first component of a role, of which all but RoleText have at most one.
func (m *Manifest) Of(role string) (Component, bool) {
	i := slices.IndexFunc(m.Components, func(c Component) bool { return c.Role == role })
	if i < 0 {
		return Component{}, false
	}
	return m.Components[i], true
}

// Parameters counts the weights of the components that every picture needs.
func (m *Manifest) Parameters() (n recipe.Counts) {
	for _, c := range m.Components {
		switch c.Role {
		case RoleText:
			n.Text += c.Parameters
		case RoleTransformer:
			n.DiT += c.Parameters
		case RoleDecoder:
			n.VAE += c.Parameters
		}
	}
	return n
}

// checkComponents wants one transformer, one decoder, at most one encoder, at least one
// text encoder, and that each has files of its own (text encoders may share a tokenizer).
func (m *Manifest) checkComponents(c *checker) {
	count, names, used := map[string]int{}, map[string]bool{}, map[string]bool{}
	refer := func(p Component, name, role string) {
		f, ok := m.File(name)
		switch {
		case !ok:
			c.fail("the %v refers to the file %.80q, which is not there", p, name)
		case f.Role != role:
			c.fail("the %v refers to the file %.80q of the role %q, wanted one of the role %q", p, name, f.Role, role)
		case used[name] && role != tokenizerRole:
			c.fail("the %v refers to the file %.80q, which belongs to another component", p, name)
		}
		used[name] = true
	}
	for _, p := range m.Components {
		role, ok := fileRoles[p.Role]
		if !ok {
			c.fail("a component has the role %.80q, wanted %q, %q, %q or %q", p.Role, RoleText, RoleTransformer, RoleDecoder, RoleEncoder)
			return
		}
		count[p.Role]++
		if !slug.matches(p.Kind) {
			c.fail("the kind %.80q of the %v must be 1 to 64 of a-z, 0-9 and -", p.Kind, p)
		}
		if p.Role == RoleText && (!name.matches(p.Name) || names[p.Name]) {
			c.fail("the name %.80q of a text encoder must be unique and 1 to 64 of a-z, 0-9, _ and -", p.Name)
		}
		names[p.Name] = true
		if p.Role != RoleText && (p.Name != "" || len(p.Tokenizer) > 0) {
			c.fail("the %v has the name %.80q and the tokenizer %.80q, which only text encoders have", p, p.Name, p.Tokenizer)
		}
		if len(p.Config) == 0 || p.Config[0] != '{' {
			c.fail("the configuration of the %v must be an object", p)
		}
		refer(p, p.File, role)
		c.whole(fmt.Sprintf("the number of files that the %v shares", p), int64(len(p.Shared)), 0, maxShared)
		for _, name := range p.Shared {
			refer(p, name, role)
		}
		if p.Role == RoleText {
			c.whole(fmt.Sprintf("the number of files of the tokenizer of the %v", p), int64(len(p.Tokenizer)), 1, maxWords)
			for _, name := range p.Tokenizer {
				refer(p, name, tokenizerRole)
			}
		}
		fewest := int64(0)
		if p.Role == RoleTransformer {
			fewest = 1
		}
		c.whole(fmt.Sprintf("parameters of the %v", p), p.Parameters, fewest, MaxElements)
	}
	c.whole("the number of transformers", int64(count[RoleTransformer]), 1, 1)
	c.whole("the number of decoders", int64(count[RoleDecoder]), 1, 1)
	c.whole("the number of encoders", int64(count[RoleEncoder]), 0, 1)
	c.whole("the number of text encoders", int64(count[RoleText]), 1, maxEncoders)
	for _, f := range m.Files {
		if !used[f.Name] && f.Role != RoleJudge {
			c.fail("the file %.80q belongs to no component", f.Name)
		}
	}
	if t, ok := m.Of(RoleTransformer); ok && t.Kind != m.Family {
		c.fail("the family is %.80q, the kind of the transformer %.80q", m.Family, t.Kind)
	}
}
