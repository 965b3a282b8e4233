package site

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// modelName matches the names that a model's folder may have: they become part of
// addresses, and of a list with spaces between them.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// modelFolders returns the models' folders with absolute paths, which end in the folders'
// names. Two models of one name would overwrite each other.
func modelFolders(folders []string) ([]string, error) {
	models, taken := make([]string, len(folders)), map[string]string{}
	for i, f := range folders {
		abs, err := filepath.Abs(f)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(abs)
		if !modelName.MatchString(name) {
			return nil, fmt.Errorf("the model's folder %s is named %q: rename it, to letters, digits and . _ -, which the site's addresses may hold", f, name)
		}
		if other, twice := taken[name]; twice {
			return nil, fmt.Errorf("the models %s and %s have the same name %q on the site: rename one of the folders", other, f, name)
		}
		models[i], taken[name] = abs, f
	}
	return models, nil
}

// apart refuses to write a site into the folders that it is made of, or over one
// of its models.
func apart(o Options) error {
	out, err := real(o.Out)
	if err != nil {
		return err
	}
	web, err := real(filepath.Join(o.Root, "web"))
	if err != nil {
		return err
	}
	if within(out, web) {
		return fmt.Errorf("%s lies in %s, of whose files the site is made: choose another --out", o.Out, web)
	}
	for _, m := range o.Models {
		model, err := real(m)
		if err != nil {
			return err
		}
		if within(out, model) {
			return fmt.Errorf("%s lies in the model's folder %s: choose another --out", o.Out, m)
		}
		if within(model, out) {
			return fmt.Errorf("the model's folder %s lies in %s, which will be written: choose another --out", m, o.Out)
		}
	}
	return nil
}

// real is the absolute path without links, as far as it exists.
func real(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rest := ""
	for folder := abs; ; folder = filepath.Dir(folder) {
		if there, err := filepath.EvalSymlinks(folder); err == nil {
			return filepath.Join(there, rest), nil
		}
		if folder == filepath.Dir(folder) {
			return abs, nil
		}
		rest = filepath.Join(filepath.Base(folder), rest)
	}
}

// within reports whether a path is a folder or lies in it.
func within(name, folder string) bool {
	rel, err := filepath.Rel(folder, name)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
