package gpu

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"undertone/engine/op"
	"undertone/shaders"
)

// planID identifies everything that decides which arithmetic a picture is made
// with on one adapter: the variants that the device can run, what they are chosen
// by, and their text.
func planID(c Caps) string {
	if c.Prefer == "" && len(c.Choices) == 0 {
		c.Bits = 0 // nothing takes a variant that rounds
	}
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", c)
	for _, k := range op.Kinds() {
		fmt.Fprintf(h, "%s %q\n", k, operations[k].offered(c))
	}
	fs.WalkDir(shaders.FS, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(shaders.FS, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(text), text)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:12]
}
