package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"

	"undertone/engine/recipe"
)

// sizesLine is the line of web/element.js that the builder fills in.
const sizesLine = `const site = { bytes: 0, models: {} };`

// sizes are what element.js says will be downloaded.
type sizes struct {
	Bytes  int64            `json:"bytes"`  // of the embed, before a model is loaded
	Models map[string]int64 `json:"models"` // of every model by the name of its folder
}

// addElement adds element.js, once everything is there that it tells the size of.
func (c content) addElement(ctx context.Context, data []byte, o Options) error {
	s := sizes{Models: map[string]int64{}}
	files := append(named.FindAllString(string(c[embedded].data), -1), embedded)
	slices.Sort(files)
	for _, address := range slices.Compact(files) {
		sent, compressed := c[address+".br"]
		if !compressed {
			sent = c[address]
		}
		s.Bytes += int64(len(sent.data))
	}
	for _, m := range o.Models {
		name := filepath.Base(m)
		var d recipe.Description
		if err := json.Unmarshal(c[path.Join("models", name, recipe.DescriptionName)].data, &d); err != nil {
			return err
		}
		s.Models[name] = d.Bytes
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if bytes.Count(data, []byte(sizesLine)) != 1 {
		return fmt.Errorf("site: %s does not hold the line %s once", element, sizesLine)
	}
	filled := bytes.Replace(data, []byte(sizesLine), append(append([]byte("const site = "), text...), ';'), 1)
	return c.add(ctx, element, filled, o.Twins)
}
