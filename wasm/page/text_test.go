package page

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// texts reads a language as it stands in its file.
func texts(t *testing.T, l language) map[string]string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(l.file, &all); err != nil {
		t.Fatalf("%s: %v", l.name, err)
	}
	m := map[string]string{}
	for name, text := range all {
		if text, ok := text.(string); ok {
			m[name] = text
		} else if name != "Titles" && name != "Faults" {
			t.Errorf("%s: %s is no text", l.name, name)
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
	fields := reflect.VisibleFields(reflect.TypeFor[words]())
	names := map[string]bool{}
	for _, f := range fields {
		if f.Type.Kind() == reflect.String {
			names[f.Name] = true
		}
	}
	first := texts(t, languages[0])
	for _, l := range languages {
		m := texts(t, l)
		for name := range names {
			if m[name] == "" {
				t.Errorf("%s: %s is missing", l.name, name)
			}
			if got, want := verbs(m[name]), verbs(first[name]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the values %v, wanted %v", l.name, name, got, want)
			}
		}
		for name := range m {
			if !names[name] {
				t.Errorf("%s: nobody says %s", l.name, name)
			}
		}
	}
}

// TestFaults holds every language but the engine's own to words for every fault.
func TestFaults(t *testing.T) {
	defer speak(languages[0])
	for _, l := range languages[1:] {
		speak(l)
		codes := fault.Codes()
		for _, c := range codes {
			p := &problem{code: string(c), message: "the sentence with 7 numbers", advice: fault.Advice(c)}
			what, advice, detail := p.told()
			if what == "" || advice == "" || what == p.message || advice == p.advice {
				t.Errorf("%s: %s is told as %q, %q", l.name, c, what, advice)
			}
			if !strings.Contains(detail, p.message) || !strings.Contains(detail, p.code) {
				t.Errorf("%s: the details of %s are %q", l.name, c, detail)
			}
		}
		if len(say.Faults) != len(codes) {
			t.Errorf("%s has words for %d faults, there are %d", l.name, len(say.Faults), len(codes))
		}
	}
	speak(languages[0])
	p := &problem{code: "seed-range", message: "a", advice: "b"}
	if what, advice, detail := p.told(); what != "a" || advice != "b" || strings.Contains(detail, "a ·") {
		t.Errorf("in English it is told as %q, %q, %q", what, advice, detail)
	}
}

// TestSpeak turns from one language to the other and back.
func TestSpeak(t *testing.T) {
	defer speak(languages[0])
	p := preset{title: "Night", term: term{preset: "night"}}
	at := &say.Generate
	for range 2 {
		speak(languages[1])
		if *at != "生成" || say.title(p) != "夜晚" {
			t.Errorf("in Chinese: %q, %q", *at, say.title(p))
		}
		speak(languages[0])
		if *at != "Generate" || say.title(p) != "Night" {
			t.Errorf("in English: %q, %q", *at, say.title(p))
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
	page, err := os.ReadFile("../../index.html")
	if err != nil {
		t.Fatal(err)
	}
	m := texts(t, languages[0])
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
			if got := chooseLanguage(w).tag; got != want {
				t.Errorf("%v: %s, wanted %s", w, got, want)
			}
		}
	}
}
