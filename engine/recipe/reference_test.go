package recipe

import (
	"reflect"
	"strings"
	"testing"
)

// A picture's parameters name its reference by size and hash, never by its pixels; a link
// says only that there is one. What is no hash is left out, as is a reference of a model that reads none.
func TestReference(t *testing.T) {
	sum := strings.Repeat("0f", 32)
	edits := Limits{MaxSteps: 8, Sizes: []Size{Square(64)}, Blocks: 6, Edits: true}
	base := Request{Steps: 4, Size: Square(64), CFG: 1}
	p := Parameters{Request: base}
	p.Prompt = "make it night"
	p.Reference = &Reference{Width: 640, Height: 480, SHA256: sum, Pixels: []byte("pixels")}
	text := JSON(p)
	if strings.Contains(string(text), "pixels") || strings.Contains(strings.ToLower(string(text)), "cgl4zwxz") {
		t.Errorf("the pixels are written: %s", text)
	}
	got, notices, err := FromJSON(text, base, edits)
	if want := (&Reference{Width: 640, Height: 480, SHA256: sum}); err != nil || notices != nil || !reflect.DeepEqual(got.Reference, want) {
		t.Errorf("%+v, %v, %v; wanted %+v", got.Reference, notices, err, want)
	}
	if link := Hash(p.Request); strings.Contains(link, sum) || strings.Contains(link, "reference") {
		t.Errorf("the link %s names the reference", link)
	} else if q, notices, ok := FromHash(link+").", base, edits); !ok || notices != nil || q.Prompt != p.Prompt || !reflect.DeepEqual(q.Reference, &Reference{}) {
		t.Errorf("of the link %s comes %+v, %v", link, q, notices)
	} else if again := Hash(q); again != link {
		t.Errorf("the link %s becomes %s", link, again)
	}
	for hash, limits := range map[string]Limits{"#prompt=x&edit=1": {}, "#prompt=x&edit=0": edits, "#prompt=x&edit=": edits} {
		if q, notices, ok := FromHash(hash, base, limits); !ok || q.Reference != nil || len(notices) != 1 || notices[0].Field != FieldEdit {
			t.Errorf("of %s comes %+v, %v", hash, q, notices)
		}
	}
	plain := edits
	plain.Edits = false
	for _, c := range []struct {
		text   string
		limits Limits
	}{{string(text), plain}, {`{"reference":{"sha256":"` + sum[1:] + `"}}`, edits}, {`{"reference":{"sha256":"` + strings.ToUpper(sum) + `"}}`, edits}, {`{"reference":7}`, edits}} {
		got, notices, err := FromJSON([]byte(c.text), base, c.limits)
		if err != nil || got.Reference != nil || len(notices) != 1 || notices[0].Field != FieldReference {
			t.Errorf("%s: %+v, %v, %v", c.text, got.Reference, notices, err)
		}
	}
}
