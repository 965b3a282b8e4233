package gpu

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"

	"undertone/shaders"
)

// planID identifies everything that decides which arithmetic a picture is made
// with on one adapter: what kernels are chosen by, and their text.
func planID(c Caps) string {
	h := sha256.New()
	fmt.Fprintf(h, "%+v\n", c)
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
