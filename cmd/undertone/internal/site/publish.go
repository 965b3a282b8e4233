package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine/weights"
)

// markName is the file by which a folder is known as a site that Build wrote. It
// lists the files, so that the next build replaces and removes exactly these, and
// what people add to a published site stays: .git, CNAME, pictures.
const markName = ".undertone-site"

const markHead = `# The files of this site that "undertone dist" wrote, with their SHA-256. The next
# build replaces and removes these, and leaves everything else in this folder alone.
`

// maxMark bounds the mark, in bytes.
const maxMark = 16 << 20

// former are the files that a build wrote, each with the hashes it may have: while
// a build goes on, that of the old and that of the new file.
type former map[string][]string

// publish writes a site into a folder that is new, empty, or a site already. All
// is checked before anything is written. Files that others refer to come first and
// the service worker last, each whole or not at all, so that an interrupted build
// leaves a site that serves, and a mark with which the next build goes on.
func publish(ctx context.Context, out string, c content) error {
	old, err := survey(ctx, out)
	if err != nil {
		return err
	}
	stands, err := compare(ctx, out, old, c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	both, next := former{}, former{}
	for name, sums := range old {
		both[name] = slices.Clone(sums)
	}
	for name, i := range c {
		next[name] = []string{i.sum}
		if !slices.Contains(both[name], i.sum) {
			both[name] = append(both[name], i.sum)
		}
	}
	if err := both.write(out); err != nil {
		return err
	}
	for _, name := range inOrder(c) {
		if err := stopped(ctx); err != nil {
			return err
		}
		if stands[name] {
			continue
		}
		if err := weights.WriteFile(filepath.Join(out, filepath.FromSlash(name)), c[name].writeTo); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for name, sums := range old {
		if _, stays := c[name]; !stays {
			if err := remove(ctx, out, name, sums); err != nil {
				return err
			}
		}
	}
	return next.write(out)
}

// survey reads which files of a folder a former build wrote. A folder that holds
// anything and is no site is refused.
func survey(ctx context.Context, out string) (former, error) {
	info, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(out); err == nil {
			return nil, fmt.Errorf("%s is a link to a folder that is not there: make that folder, or choose another --out", out)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file: choose another --out, which will be a folder", out)
	}
	list, err := os.ReadDir(out)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	if f, err := readMark(ctx, out); !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if f := unmarked(ctx, out); f != nil {
		return f, nil
	}
	var names []string
	for _, e := range list[:min(3, len(list))] {
		names = append(names, fmt.Sprintf("%q", e.Name()))
	}
	if n := len(list) - len(names); n > 0 {
		names = append(names, fmt.Sprintf("%d more", n))
	}
	return nil, fmt.Errorf("%s is not empty, and no site that undertone dist built: it holds %s. Nothing was changed. Choose another --out, or empty this folder first", out, strings.Join(names, ", "))
}

// unmarked recognizes a site of a version that left no mark by its list of hashes;
// nil where there is none.
func unmarked(ctx context.Context, out string) former {
	f, err := readList(ctx, filepath.Join(out, "SHA256SUMS"))
	if err != nil {
		return nil
	}
	for _, name := range []string{"index.html", "undertone.js", worker} {
		sum, err := hashFile(ctx, filepath.Join(out, name))
		if err != nil || !slices.Contains(f[name], sum) {
			return nil
		}
	}
	sum, err := hashFile(ctx, filepath.Join(out, "SHA256SUMS"))
	if err != nil {
		return nil
	}
	f["SHA256SUMS"] = []string{sum}
	return f
}

// compare tells which files already are what they will be. It refuses where a file
// would be replaced that a build did not write, or that was changed since.
func compare(ctx context.Context, out string, old former, c content) (stands map[string]bool, err error) {
	stands = map[string]bool{}
	var foreign []string
	for _, name := range c.names() {
		if err := inside(out, name); err != nil {
			return nil, err
		}
		file := filepath.Join(out, filepath.FromSlash(name))
		info, err := os.Lstat(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum := ""
		if info.Mode().IsRegular() {
			if sum, err = hashFile(ctx, file); err != nil {
				return nil, err
			}
		}
		stands[name] = sum == c[name].sum
		if !stands[name] && !slices.Contains(old[name], sum) {
			foreign = append(foreign, name)
		}
	}
	if n := len(foreign); n > 0 {
		names := strings.Join(foreign[:min(3, n)], ", ")
		if n > 3 {
			names += fmt.Sprintf(" and %d more", n-3)
		}
		return nil, fmt.Errorf("%s holds files that the new site needs to replace, and that no build wrote or somebody changed since: %s. Nothing was changed. Move them away, or choose another --out", out, names)
	}
	return stands, nil
}

// inside refuses a name whose folders are not all real folders of out: through a
// link, files elsewhere would be written or removed.
func inside(out, name string) error {
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		info, err := os.Lstat(filepath.Join(out, filepath.FromSlash(folder)))
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s in %s is no folder, and the site has files in it: move it away, or choose another --out", folder, out)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// remove removes a file of the former site, and its folder where that is empty
// then. A file that was changed since is somebody's and stays.
func remove(ctx context.Context, out, name string, sums []string) error {
	file := filepath.Join(out, filepath.FromSlash(name))
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() || inside(out, name) != nil {
		return nil
	}
	sum, err := hashFile(ctx, file)
	if err != nil {
		return err
	}
	if !slices.Contains(sums, sum) {
		return nil
	}
	if err := os.Remove(file); err != nil {
		return err
	}
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if os.Remove(filepath.Join(out, filepath.FromSlash(folder))) != nil { // it is not empty
			break
		}
	}
	return nil
}

// inOrder sorts files so that what a file refers to is there before it: first those
// with a hash in their names, which nothing refers to yet, then models, then pages
// and scripts, and the service worker at the end.
func inOrder(c content) []string {
	rank := func(name string) int {
		plain := strings.TrimSuffix(strings.TrimSuffix(name, ".br"), ".gz")
		switch {
		case hashed.MatchString(plain):
			return 0
		case strings.HasPrefix(name, "models/"):
			return 1
		case plain == worker:
			return 3
		}
		return 2
	}
	names := c.names()
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

func readMark(ctx context.Context, out string) (former, error) {
	f, err := readList(ctx, filepath.Join(out, markName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the list of this site's files cannot be used: %w. Choose another --out, or empty this folder first", err)
	}
	return f, err
}

// readList reads lines of a SHA-256 and a file's name, as sha256sum writes them.
func readList(ctx context.Context, name string) (former, error) {
	if info, err := os.Lstat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	text, err := input.Read(ctx, name, maxMark)
	if err != nil {
		return nil, err
	}
	f := former{}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || line[0] == '#' {
			continue
		}
		sum, file, ok := strings.Cut(line, "  ")
		digest, err := hex.DecodeString(sum)
		if !ok || err != nil || len(digest) != sha256.Size || !filepath.IsLocal(filepath.FromSlash(file)) || path.Clean(file) != file || file == "." {
			return nil, fmt.Errorf("%s, line %d is not a SHA-256 and the name of a file in this folder", name, n+1)
		}
		f[file] = append(f[file], strings.ToLower(sum))
	}
	return f, nil
}

// write writes the mark.
func (f former) write(out string) error {
	var lines []string
	for name, sums := range f {
		for _, sum := range sums {
			lines = append(lines, sum+"  "+name+"\n")
		}
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	return weights.WriteFile(filepath.Join(out, markName), func(w io.Writer) error {
		_, err := io.WriteString(w, markHead+strings.Join(lines, ""))
		return err
	})
}

// hashFile is the SHA-256 of a regular file.
func hashFile(ctx context.Context, name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if err := copyTo(ctx, sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
