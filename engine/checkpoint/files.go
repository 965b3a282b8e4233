package checkpoint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/weights"
)

// File is one of the files that a person gave. Its name is slash-separated where it
// lies in a folder that was given; only the names of configurations, of tokenizers and
// of shards say anything: what a weight file is, its contents say.
type File struct {
	Name   string
	Source op.Source
}

// file is a weight file whose header has been read.
type file struct {
	name   string
	source op.Source
	index  *weights.Index
}

// given is what was given, sorted by what it is.
type given struct {
	units      []*unit
	model      object            // model_index.json, or nil
	scheduler  object            // scheduler_config.json, or nil
	tokenizers map[string]object // tokenizer.json by name
	words      []File            // of tokenizers, by name
	left       []string          // files beside those that model_index.json names
}

// Names that mean something.
const (
	nameModel     = "model_index.json"
	nameConfig    = "config.json"
	nameScheduler = "scheduler_config.json"
	nameTokenizer = "tokenizer.json"
	shardList     = ".index.json"
	shapeKey      = "comfy.gguf.orig_shape." // of a GGUF tensor that is stored in another shape
)

var otherTokenizerFiles = []string{"vocab.json", "merges.txt", "spiece.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"}

var shardName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})(\.[a-z]+)$`) })

// shown is a name as errors show it.
func shown(name string) string {
	const most = 160
	if len(name) > most {
		name = "…" + strings.ToValidUTF8(name[len(name)-most:], "")
	}
	return name
}

// sortOut reads the headers of weight files and the JSON files beside them.
func sortOut(files []File) (*given, error) {
	g := &given{tokenizers: map[string]object{}}
	configs, lists := map[string]object{}, map[string]object{}
	var found []*file
	top := "" // the folder of model_index.json
	for _, f := range files {
		base := path.Base(f.Name)
		read := func(limit int64) (o object, err error) { return readObject(f.Name, f.Source, limit) }
		var err error
		switch {
		case base == nameModel:
			g.model, err = read(maxObject)
			top = path.Dir(f.Name)
		case base == nameConfig:
			configs[path.Dir(f.Name)], err = read(maxObject)
		case base == nameScheduler:
			g.scheduler, err = read(maxObject)
		case base == nameTokenizer:
			g.tokenizers[f.Name], err = read(maxTokenizer)
			g.words = append(g.words, f)
		case strings.HasSuffix(base, shardList):
			lists[f.Name], err = read(maxObject)
		case isMerges(base), slices.Contains(otherTokenizerFiles, base), path.Ext(base) == ".model":
			f.Source, err = Unzipped(f)
			g.words = append(g.words, f)
		case path.Ext(base) == ".json":
			// Some other program's.
		default:
			var x *weights.Index
			if x, err = weights.Survey(f.Source); err != nil {
				err = fault.Wrap(err, fault.Of(err).Code, "%s cannot be used", shown(f.Name))
			}
			found = append(found, &file{f.Name, f.Source, x})
		}
		if err != nil {
			return nil, err
		}
	}
	units, err := group(found, lists)
	if err != nil {
		return nil, err
	}
	if g.model != nil {
		units = g.choose(units, top)
	}
	neighbours := map[string]int{}
	for _, u := range units {
		neighbours[u.folder]++
	}
	for _, u := range units {
		if neighbours[u.folder] == 1 { // of several, nobody knows whose it is
			u.settings = configs[u.folder]
		}
		if err := u.fill(); err != nil {
			return nil, err
		}
	}
	g.units = units
	sort.Slice(g.words, func(i, j int) bool { return g.words[i].Name < g.words[j].Name })
	return g, nil
}

// group puts the shards of one file together: those that a list of shards names, and
// those whose names count them.
func group(files []*file, lists map[string]object) (units []*unit, err error) {
	byName, taken := map[string]*file{}, map[*file]bool{}
	for _, f := range files {
		byName[f.name] = f
	}
	for _, list := range sortedKeys(lists) {
		u, err := listed(list, lists[list], byName)
		if err != nil {
			return nil, err
		}
		for _, f := range u.files {
			taken[f] = true
		}
		units = append(units, u)
	}
	counted := map[string]*unit{}
	for _, f := range files {
		if taken[f] {
			continue
		}
		u := &unit{label: f.name, folder: path.Dir(f.name)}
		if m := shardName().FindStringSubmatch(f.name); m != nil {
			key := m[1] + "\n" + m[3] + m[4]
			if counted[key] == nil {
				counted[key] = u
				units = append(units, u)
			}
			u = counted[key]
		} else {
			units = append(units, u)
		}
		u.files = append(u.files, f)
	}
	for _, key := range sortedKeys(counted) {
		if err := complete(counted[key]); err != nil {
			return nil, err
		}
	}
	return units, nil
}

// listed is the unit of a list of shards.
func listed(list string, o object, files map[string]*file) (*unit, error) {
	raw, ok := o["weight_map"]
	if !ok {
		return nil, fault.New(fault.ManifestInvalid, "%s has no weight_map, by which it is a list of shards", shown(list))
	}
	places, err := parseObject(list+": weight_map", raw)
	if err != nil {
		return nil, err
	}
	u, shards := &unit{folder: path.Dir(list)}, map[string]bool{}
	for name := range places {
		shard, _, err := get[string](places, list, name)
		if err != nil {
			return nil, err
		}
		if shard == "" || strings.ContainsAny(shard, `/\`) || shard[0] == '.' {
			return nil, fault.New(fault.ManifestInvalid, "%s puts the tensor %.80q into %.80q, wanted the name of a file beside it", shown(list), name, shard)
		}
		shards[shard] = true
	}
	var missing []string
	for _, shard := range sortedKeys(shards) {
		if f := files[path.Join(u.folder, shard)]; f != nil {
			u.files = append(u.files, f)
		} else {
			missing = append(missing, shard)
		}
	}
	if len(missing) > 0 || len(u.files) == 0 {
		return nil, fault.New(fault.WeightsMissing, "%s lists %d shards, of which %d are not there: %.200q", shown(list), len(shards), len(missing), missing)
	}
	u.label = u.files[0].name
	return u, nil
}

// complete looks for the shards that the names of the others count.
func complete(u *unit) error {
	m := shardName().FindStringSubmatch(u.files[0].name)
	total, err := strconv.Atoi(m[3])
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, f := range u.files {
		have[f.name] = true
	}
	if len(have) != total {
		for i := 1; i <= total; i++ {
			if name := fmt.Sprintf("%s-%05d-of-%s%s", m[1], i, m[3], m[4]); !have[name] {
				return fault.New(fault.WeightsMissing, "%s is one of %d shards, of which %d were given; %s is missing", shown(u.files[0].name), total, len(have), shown(name))
			}
		}
		return fault.New(fault.WeightsMissing, "%s is one of %d shards, and %d were given", shown(u.files[0].name), total, len(have))
	}
	return nil
}

// choose keeps, of a diffusers folder, what its model_index.json names: beside that lie
// the same weights as one file, in other precisions, and networks that judge pictures.
// What lies elsewhere was given by itself, and stays.
func (g *given) choose(units []*unit, top string) []*unit {
	plain := map[string]bool{} // folders with a unit of the name that diffusers looks for
	isPlain := func(u *unit) bool {
		base, _, _ := strings.Cut(path.Base(u.label), ".")
		if m := shardName().FindStringSubmatch(path.Base(u.label)); m != nil {
			base = m[1]
		}
		return (base == "model" || base == "diffusion_pytorch_model") && strings.Count(strings.TrimSuffix(path.Base(u.label), path.Ext(u.label)), ".") == 0
	}
	named := func(u *unit) bool {
		_, ok := g.model[path.Base(u.folder)]
		return ok && path.Dir(u.folder) == top
	}
	for _, u := range units {
		if named(u) && isPlain(u) {
			plain[u.folder] = true
		}
	}
	var kept []*unit
	for _, u := range units {
		elsewhere := top != "." && u.folder != top && !strings.HasPrefix(u.folder, top+"/")
		if elsewhere || named(u) && (isPlain(u) || !plain[u.folder]) {
			kept = append(kept, u)
			continue
		}
		for _, f := range u.files {
			g.left = append(g.left, f.name)
		}
	}
	return kept
}

// fill lists a unit's tensors.
func (u *unit) fill() error {
	u.tensors, u.used = map[string]tensor{}, map[string]bool{}
	for _, f := range u.files {
		for _, t := range f.index.Tensors {
			if other, twice := u.tensors[t.Name]; twice {
				return fault.New(fault.WeightsFormat, "tensor %.120q is in %s and in %s", t.Name, shown(other.file.name), shown(f.name))
			}
			if v, ok := f.index.Value(shapeKey + t.Name); ok {
				shape, err := originalShape(t, v)
				if err != nil {
					return err
				}
				t.Shape = shape
			}
			u.tensors[t.Name] = tensor{t, f}
		}
	}
	u.names = sortedKeys(u.tensors)
	return nil
}

// originalShape reads the shape that a tensor had before it was reshaped for a GGUF file.
func originalShape(t weights.Tensor, v any) ([]int, error) {
	var shape []int
	switch dims := v.(type) {
	case []int32:
		for _, d := range dims {
			shape = append(shape, int(d))
		}
	case []int64:
		for _, d := range dims {
			shape = append(shape, int(d))
		}
	case []uint32:
		for _, d := range dims {
			shape = append(shape, int(d))
		}
	}
	n := int64(1)
	for _, d := range shape {
		if d < 1 || int64(d) > weights.MaxElements/n {
			n = -1
			break
		}
		n *= int64(d)
	}
	if len(shape) == 0 || n != t.Elems() {
		return nil, fault.New(fault.WeightsFormat, "tensor %.120q has %d elements; the file says that its shape was %.80s", t.Name, t.Elems(), fmt.Sprint(v))
	}
	return shape, nil
}
