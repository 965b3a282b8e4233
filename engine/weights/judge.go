package weights

import (
	"encoding/json"

	"undertone/engine/recipe"
)

// RoleJudge is the role of a judge's one file, and its name.
const RoleJudge = "judge"

// Judge is the object "judge" of model.json: an optional network that scores the model's
// pictures.
type Judge struct {
	Config     json.RawMessage `json:"config"` // judge.Config
	Pictures   int             `json:"pictures"`
	Attributes []recipe.Aspect `json:"attributes"`
	Parameters int64           `json:"parameters"`
}

// OffersJudge is what the model's judge can say; nil where there is none.
func (m *Manifest) OffersJudge() *recipe.Judge {
	j := m.Judge
	if j == nil {
		return nil
	}
	size, _ := j.size()
	return &recipe.Judge{Bytes: m.RoleBytes(RoleJudge), Size: size, Pictures: j.Pictures, Attributes: j.Attributes}
}

// size is that of the pictures that the judge sees, as its configuration has it.
func (j *Judge) size() (int, error) {
	var c struct {
		Size int `json:"size"`
	}
	err := json.Unmarshal(j.Config, &c)
	return c.Size, err
}

// Answers is how many values the attributes have together.
func (j *Judge) Answers() (n int) {
	for _, a := range j.Attributes {
		n += len(a.Values)
	}
	return n
}

// checkJudge wants one file of a judge where there is one, else none, and attributes with
// two or more values and a share each.
func (m *Manifest) checkJudge(c *checker) {
	var files, wanted int64
	for _, f := range m.Files {
		if f.Role != RoleJudge {
			continue
		}
		files++
		if f.Name != RoleJudge {
			c.fail("the judge's file has the name %.80q, wanted %q", f.Name, RoleJudge)
		}
	}
	j := m.Judge
	if j != nil {
		wanted = 1
	}
	c.whole("the number of files of a judge", files, wanted, wanted)
	if j == nil {
		return
	}
	if n, err := j.size(); err != nil || n < 1 {
		c.fail("the configuration of the judge must be an object with a size, not %.80q", j.Config)
	}
	c.whole("parameters of the judge", j.Parameters, 1, MaxElements)
	c.whole("the number of attributes of the judge", int64(len(j.Attributes)), 1, 64)
	c.whole("the number of pictures of the judge's accuracy", int64(j.Pictures), 1, MaxElements)
	names := map[string]bool{}
	for _, a := range j.Attributes {
		c.words("the name of an attribute of the judge", a.Name, 64)
		if names[a.Name] {
			c.fail("two attributes of the judge are called %.80q", a.Name)
		}
		names[a.Name] = true
		c.whole("the number of values of "+a.Name, int64(len(a.Values)), 2, maxList)
		c.list("the values of "+a.Name, a.Values, 64)
		c.number("the accuracy of "+a.Name, a.Accuracy, 0, 1)
	}
}
