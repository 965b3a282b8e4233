package opener

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// entry is what was chosen at once: a file, a folder or an address.
type entry struct {
	name  string
	files []any // each as the API takes one
	bytes int64 // of all; unknown of an address
	key   string
}

// text says what it is.
func (e entry) text() string {
	switch {
	case len(e.files) > 1:
		return fmt.Sprintf(words.Text.OpenMany, e.name+" · "+words.Bytes(e.bytes), len(e.files))
	case e.bytes > 0:
		return e.name + " · " + words.Bytes(e.bytes)
	}
	return e.name
}

// endings are those of files that a model is made of, and of files that people try in
// their place, which the engine refuses by their kind.
var endings = []string{".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin", ".json", ".model", ".txt", ".gz"}

// means reports whether a file of this name is part of a model rather than a picture.
func means(name string) bool { return slices.Contains(endings, strings.ToLower(path.Ext(name))) }

// address reads what was typed as the address of a file: https, or the machine's own.
func address(text string) (string, bool) {
	text = strings.TrimSpace(text)
	rest, ok := strings.CutPrefix(text, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "http://"); ok {
			host, _, _ := strings.Cut(rest, "/")
			host, _, _ = strings.Cut(host, ":")
			ok = host == "localhost" || host == "127.0.0.1"
		}
	}
	host, file, found := strings.Cut(rest, "/")
	return text, ok && found && host != "" && file != "" && !strings.ContainsAny(text, " \t\n")
}

// placeName is an address as it is listed: the file, and whose server it is on.
func placeName(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	rest, _, _ = strings.Cut(rest, "?")
	return path.Base(rest) + " · " + host
}

// encoderNames are what text encoders are called by people.
var encoderNames = map[string]string{"clip_l": "CLIP-L", "clip_g": "CLIP-G", "t5": "T5 XXL", "llama": "Llama 3.1 8B Instruct"}

// partName names a part, or a missing one, in the page's language.
func partName(role, name string) string {
	if known := encoderNames[name]; known != "" {
		name = known
	}
	switch role {
	case "text":
		return fmt.Sprintf(words.Text.PartText, name)
	case "tokenizer":
		return fmt.Sprintf(words.Text.PartTokenizer, name)
	case "decoder":
		return words.Text.PartDecoder
	case "adapter":
		return words.Text.PartAdapter
	}
	return words.Text.PartTransformer
}

// usually says what a missing part is called and where people have it. Names of files and
// folders are the same in every language; what the engine joins them with is not.
func usually(m recipe.MissingPart) string {
	file := strings.ReplaceAll(m.File, ", or ", " or ")
	file = strings.ReplaceAll(strings.TrimSuffix(file, ","), " or ", words.Text.OpenOr)
	file = strings.ReplaceAll(file, " and ", words.Text.OpenAnd)
	where := m.Where
	if folder, _, ok := strings.Cut(where, " of the model's diffusers folder"); ok {
		where = fmt.Sprintf(words.Text.OpenOfFolder, folder)
	}
	return fmt.Sprintf(words.Text.OpenUsually, file, where)
}

// alone reports whether what was found is a pooled adapter and nothing else.
func alone(f recipe.Published) bool { return len(f.Parts) == 1 && f.Parts[0].Role == "adapter" }

// complete reports whether a picture can be made of what was found.
func complete(f recipe.Published) bool {
	return len(f.Parts) > 0 && !slices.ContainsFunc(f.Missing, func(m recipe.MissingPart) bool { return m.Required })
}

// licence is what models of a kind are published under, "" of an unknown kind.
func licence(variant string) string {
	switch {
	case strings.HasPrefix(variant, "FLUX.1") && strings.Contains(variant, "schnell"):
		return words.Text.LicenceFree
	case strings.HasPrefix(variant, "FLUX.1"):
		return words.Text.LicenceDev
	case strings.HasPrefix(variant, "Stable Diffusion 3"):
		return words.Text.LicenceStability
	case strings.HasPrefix(variant, "HiDream"):
		return words.Text.LicenceHiDream
	case strings.HasPrefix(variant, "Cosmos"):
		return words.Text.LicenceNVIDIA
	}
	return ""
}

// totals adds up what the parts take.
func totals(parts []recipe.PublishedPart) (sum recipe.PublishedPart) {
	for _, p := range parts {
		sum.DiskBytes += p.DiskBytes
		sum.DeviceBytes += p.DeviceBytes
		sum.PeakBytes = max(sum.PeakBytes, p.PeakBytes)
		sum.LargestBytes = max(sum.LargestBytes, p.LargestBytes)
	}
	return sum
}

// size writes a number of bytes, and a dash where none is known.
func size(n int64) string {
	if n <= 0 {
		return "–"
	}
	return words.Bytes(n)
}

// Bits of a weight in the formats of GGUF that a smaller file is looked for in, with the
// scales of their blocks.
var smaller = []struct {
	name string
	bits float64
}{{"Q8_0", 8.5}, {"Q4_0", 4.5}}

// smallerFile names a format in which the transformer takes half of what it takes now or
// less, and how much, where there is one.
func smallerFile(m *app.Model, f recipe.Published) (text string, ok bool) {
	i := slices.IndexFunc(f.Parts, func(p recipe.PublishedPart) bool { return p.Role == "transformer" })
	if i < 0 {
		return "", false
	}
	for _, s := range smaller {
		if n := int64(float64(m.Parameters.DiT) * s.bits / 8); n > 0 && n*5 < f.Parts[i].DeviceBytes*3 {
			return fmt.Sprintf(words.Text.OpenSmallerFile, s.name, words.Bytes(n)), true
		}
	}
	return "", false
}

// limits say whether the model's first picture fits a device, and what is done where not.
func limits(m *app.Model, f *recipe.Fits) (text string, ok bool) {
	largest := fmt.Sprintf(words.Text.OpenLimits, words.Bytes(f.Buffer), words.Bytes(f.Binding), words.Bytes(f.Largest))
	switch {
	case f.OK:
		return words.Join(words.Text.OpenFits, largest), true
	case f.Size != nil:
		return words.Join(fmt.Sprintf(words.Text.OpenSmaller, words.Size(m.Defaults.Size), words.Size(*f.Size)), largest), true
	}
	return words.Join(words.Text.OpenTooLarge, largest), false
}

// memory says how much a picture of the model takes.
func memory(m *app.Model, f recipe.Published) string {
	list := []string{fmt.Sprintf(words.Text.OpenMemory, words.Size(m.Defaults.Size), words.Bytes(m.Memory))}
	if f.LeastBytes > 0 && f.LeastBytes < m.Memory {
		list = append(list, fmt.Sprintf(words.Text.OpenLeast, words.Bytes(f.LeastBytes)))
	}
	list = append(list, words.Text.OpenNoMemory)
	if text, ok := smallerFile(m, f); ok {
		list = append(list, text)
	}
	return words.Join(list...)
}
