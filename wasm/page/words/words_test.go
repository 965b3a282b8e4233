package words

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"undertone/engine/fault"
)

// texts reads a language as it stands in its file.
func texts(t *testing.T, l Language) map[string]string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(l.file, &all); err != nil {
		t.Fatalf("%s: %v", l.Name, err)
	}
	m := map[string]string{}
	for name, text := range all {
		if text, ok := text.(string); ok {
			m[name] = text
		} else if name != "Titles" && name != "Faults" && name != "SiteFaults" {
			t.Errorf("%s: %s is no text", l.Name, name)
		}
	}
	return m
}

// verb is one of fmt's, with the index that a language may give it.
var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([-+#0-9.]*[a-zA-Z%])`)

// verbs are those of a text in the order of the values they stand for.
func verbs(text string) []string {
	list := []string{}
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		if m[1] == "" {
			list = append(list, m[2])
			continue
		}
		at := int(m[1][0] - '0')
		for len(list) < at {
			list = append(list, "")
		}
		list[at-1] = m[2]
	}
	return list
}

// TestLanguages holds every language to the same texts, with the same values in them.
func TestLanguages(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[Texts]())
	names := map[string]bool{}
	for _, f := range fields {
		if f.Type.Kind() == reflect.String {
			names[f.Name] = true
		}
	}
	first := texts(t, Languages[0])
	for _, l := range Languages {
		m := texts(t, l)
		for name := range names {
			if m[name] == "" {
				t.Errorf("%s: %s is missing", l.Name, name)
			}
			if got, want := verbs(m[name]), verbs(first[name]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the values %v, wanted %v", l.Name, name, got, want)
			}
		}
		for name := range m {
			if !names[name] {
				t.Errorf("%s: nobody says %s", l.Name, name)
			}
		}
	}
}

// TestUse turns from one language to the other and back.
func TestUse(t *testing.T) {
	defer Use(Languages[0])
	at := &Text.Generate
	for range 2 {
		Use(Languages[1])
		if *at != "生成" || Text.PresetTitle("night", "Night") != "夜晚" {
			t.Errorf("in Chinese: %q, %q", *at, Text.PresetTitle("night", "Night"))
		}
		Use(Languages[0])
		if *at != "Generate" || Text.PresetTitle("night", "Night") != "Night" {
			t.Errorf("in English: %q, %q", *at, Text.PresetTitle("night", "Night"))
		}
	}
}

func TestVerbs(t *testing.T) {
	for text, want := range map[string][]string{
		"plain": {}, "%s of %d": {"s", "d"}, "%[2]d of %[1]s": {"s", "d"}, "%.0f percent": {".0f"},
	} {
		if got := verbs(text); !slices.Equal(got, want) {
			t.Errorf("%q: %v, wanted %v", text, got, want)
		}
	}
}

// TestShell compares the texts of index.html with the first language.
func TestShell(t *testing.T) {
	page, err := os.ReadFile("../../../index.html")
	if err != nil {
		t.Fatal(err)
	}
	m := texts(t, Languages[0])
	found := regexp.MustCompile(`data-text="(\w+)">([^<]*)<`).FindAllSubmatch(page, -1)
	found = append(found, swap(regexp.MustCompile(`aria-label="([^"]*)" data-label="(\w+)"`).FindAllSubmatch(page, -1))...)
	if len(found) < 10 {
		t.Fatalf("index.html has %d texts", len(found))
	}
	for _, f := range found {
		if name, text := string(f[1]), string(f[2]); m[name] != text {
			t.Errorf("%s: index.html says %q, the file %q", name, text, m[name])
		}
	}
}

func swap(list [][][]byte) [][][]byte {
	for _, m := range list {
		m[1], m[2] = m[2], m[1]
	}
	return list
}

func TestChooseLanguage(t *testing.T) {
	for want, wishes := range map[string][][]string{
		"en":      {nil, {""}, {"en-GB"}, {"xx", "EN"}, {"tlh"}, {"", "en", "zh"}},
		"zh-Hans": {{"zh"}, {"zh-CN"}, {"ZH-Hans", "en"}, {"", "de", "zh-TW", "en"}},
	} {
		for _, w := range wishes {
			if got := Choose(w).Tag; got != want {
				t.Errorf("%v: %s, wanted %s", w, got, want)
			}
		}
	}
}

// TestSiteFaults holds every language to the same faults of a site.
func TestSiteFaults(t *testing.T) {
	defer Use(Languages[0])
	var first []string
	for _, l := range Languages {
		Use(l)
		codes := slices.Sorted(maps.Keys(Text.SiteFaults))
		if first == nil {
			first = codes
		}
		if len(codes) == 0 || !slices.Equal(codes, first) {
			t.Errorf("%s tells %v, wanted %v", l.Name, codes, first)
		}
	}
}

// TestFilesRefused has a sentence, and a way on, of its own for everything that can be wrong
// with a person's files, in every language.
func TestFilesRefused(t *testing.T) {
	defer Use(Languages[0])
	codes := []fault.Code{
		fault.WeightsTruncated, fault.WeightsFormat, fault.ModelUnsupported, fault.PartsMixed, fault.PartMissing, fault.HTTPStatus, fault.AddressRefused,
		fault.WeightsNone, fault.ScalesMissing, fault.WeightsMissing, fault.NotWeights, fault.FilesGone, fault.TokenizerInvalid,
	}
	for _, l := range Languages {
		Use(l)
		said := map[string]fault.Code{}
		for _, c := range codes {
			texts := []string{fault.Advice(c)} // the engine's sentences have the names and the numbers
			if Text.Faults != nil {
				texts = []string{Text.Faults[string(c)].What, Text.Faults[string(c)].Advice}
			}
			for _, text := range texts {
				if other, ok := said[text]; ok || text == "" {
					t.Errorf("%s: of %s and of %s it says %q", l.Name, c, other, text)
				}
				said[text] = c
			}
		}
	}
}
