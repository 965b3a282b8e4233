package checkpoint

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// maxFiles bounds how many files of folders are opened at once.
const maxFiles = 256

// Open opens files of this machine, and of folders what is a weight file or says
// something about one. A folder's files are named from the folder's own name on. close
// closes them all. Errors: Fetch, and ModelUnsupported for a folder of too many files.
func Open(paths ...string) (files []File, close func(), err error) {
	close = func() {
		for _, f := range files {
			weights.Close(f.Source)
		}
	}
	add := func(file, name string) error {
		if len(files) == maxFiles {
			return fault.New(fault.ModelUnsupported, "there are over %d weight files and descriptions: name the folder of one model", maxFiles)
		}
		src, err := weights.OpenFile(file)
		if err == nil {
			files = append(files, File{name, src})
		}
		return err
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			err = fault.Wrap(err, fault.Fetch, "%s cannot be opened", shown(p))
		case !info.IsDir():
			err = add(p, filepath.ToSlash(p))
		default:
			err = walk(p, add)
		}
		if err != nil {
			close()
			return nil, func() {}, err
		}
	}
	return files, close, nil
}

// walk adds the files of a folder. Links to files count, as a folder of the Hugging
// Face cache consists of them; links to folders are not followed.
func walk(folder string, add func(file, name string) error) error {
	root, err := filepath.Abs(folder)
	if err != nil {
		return fault.Wrap(err, fault.Fetch, "%s cannot be opened", shown(folder))
	}
	return filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.Wrap(err, fault.Fetch, "%s cannot be read", shown(file))
		}
		rel, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		switch hidden := strings.HasPrefix(d.Name(), ".") && rel != "."; {
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden || d.IsDir() || !Means(d.Name()):
			return nil
		}
		return add(file, path.Join(filepath.Base(root), filepath.ToSlash(rel)))
	})
}

// Means reports whether a file of a folder says something by its name: whether it is a
// weight file or describes one.
func Means(name string) bool {
	switch path.Ext(name) {
	case ".safetensors", ".sft", ".gguf":
		return true
	}
	return strings.HasSuffix(name, shardList) || isMerges(name) || slices.Contains(otherTokenizerFiles, name) ||
		slices.Contains([]string{nameModel, nameConfig, nameScheduler, nameTokenizer}, name)
}
