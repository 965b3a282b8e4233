package gpu

import (
	"fmt"
	"io/fs"
	"strings"

	"undertone/engine/fault"
	"undertone/shaders"
)

// kernelFiles holds what assemble joins; tests put other kernels in their place.
var kernelFiles fs.FS = shaders.FS

// segment is one file's place in an assembled text, in lines from 1.
type segment struct {
	name        string
	first, last int
}

// source is the WGSL text of a kernel together with where its lines came from.
type source struct {
	text     string
	segments []segment
}

// assemble joins the parts of a kernel in the order WGSL needs them: enable
// directives, shared functions, the variant's constants, the kernel itself.
// Errors: fault.Internal for a file that does not exist.
func assemble(k Kernel) (source, error) {
	var s source
	var b strings.Builder
	line := 1
	add := func(name, text string) {
		if text == "" {
			return
		}
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		b.WriteString(text)
		n := strings.Count(text, "\n")
		s.segments = append(s.segments, segment{name, line, line + n - 1})
		line += n
	}
	for _, e := range k.Enables {
		add("enable", "enable "+e+";\n")
	}
	for _, lib := range k.Libs {
		name := "lib/" + lib + ".wgsl"
		text, err := fs.ReadFile(kernelFiles, name)
		if err != nil {
			return source{}, fault.Wrap(err, fault.Internal, "kernel %s names the library %s", k.File, name)
		}
		add(name, string(text))
	}
	add("prelude of "+k.File, k.Prelude)
	text, err := fs.ReadFile(kernelFiles, k.File+".wgsl")
	if err != nil {
		return source{}, fault.Wrap(err, fault.Internal, "kernel %s does not exist", k.File)
	}
	add(k.File+".wgsl", string(text))
	s.text = b.String()
	return s, nil
}

// where names the file and line behind a line of the assembled text.
func (s source) where(line int) string {
	for _, g := range s.segments {
		if line >= g.first && line <= g.last {
			return fmt.Sprintf("%s:%d", g.name, line-g.first+1)
		}
	}
	return fmt.Sprintf("assembled text:%d", line)
}

// key tells kernels apart: two equal keys are one assembled text.
func (k Kernel) key() string {
	return strings.Join([]string{k.File, strings.Join(k.Libs, " "), strings.Join(k.Enables, " "), k.Prelude}, "\x00")
}
