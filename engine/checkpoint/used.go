package checkpoint

import (
	"path"
	"slices"
	"strings"
)

// Uses reports whether a file of this name is read. Of the files for which it says yes,
// Identify finds the same.
func (f *Found) Uses(name string) bool {
	base := path.Base(name)
	if slices.Contains([]string{nameModel, nameConfig, nameScheduler}, base) || strings.HasSuffix(base, shardList) {
		return true
	}
	for _, p := range f.Parts {
		if slices.Contains(p.Files, name) {
			return true
		}
	}
	if f.Adapter != nil && slices.Contains(f.Adapter.Files, name) {
		return true
	}
	for _, files := range f.Tokenizers {
		if slices.Contains(files, name) {
			return true
		}
	}
	return false
}
