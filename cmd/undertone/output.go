package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"undertone/engine/weights"
)

// output is the file that a command writes, or standard output.
type output struct {
	name   string
	stdout io.Writer // nil for a file
}

// outputTo checks, before any work is done, that the file of a flag can be written
// and that its name does not promise another format than ext. "-", and any other
// name of standard output, is written in place: the notes go to standard error then.
func outputTo(flag, name, ext string, stdout io.Writer) (output, error) {
	if name == "" {
		return output{}, usagef("%s needs the name of a file", flag)
	}
	if name == "-" {
		if isTerminal(raw(stdout)) {
			return output{}, usagef("%s -: standard output is a terminal, which cannot show %s: name a file, or send it on with > or |", flag, strings.TrimPrefix(ext, "."))
		}
		return output{"standard output", raw(stdout)}, nil
	}
	info, err := os.Stat(name)
	if f, ok := raw(stdout).(*os.File); ok && err == nil && !info.IsDir() {
		if there, err := f.Stat(); err == nil && os.SameFile(info, there) {
			return output{name, f}, nil
		}
	}
	special := err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeDevice|fs.ModeCharDevice|fs.ModeSocket) != 0
	if given := filepath.Ext(name); given != "" && !strings.EqualFold(given, ext) && !special {
		return output{}, usagef("%s %s: only %s is written: name it %s", flag, name, strings.TrimPrefix(ext, "."), strings.TrimSuffix(name, given)+ext)
	}
	return output{name, nil}, weights.CheckTarget(name)
}

func (o output) write(write func(io.Writer) error) error {
	if o.stdout != nil {
		return write(o.stdout)
	}
	return weights.WriteFile(o.name, write)
}

// notes is where a command's text goes, so that it does not get among the bytes.
func (o output) notes(stdout, stderr io.Writer) io.Writer {
	if o.stdout != nil {
		return stderr
	}
	return stdout
}

// isTerminal reports whether bytes for w would come up on a screen.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&fs.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
