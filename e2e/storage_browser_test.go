package e2e

import (
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/storage"
)

// kept is what loading with store: true gave.
type kept struct {
	Fault    *fault
	Revision string
	Hash     string // of a picture
	Bytes    int64
	Storage  struct {
		Stored, Reused int64
		Fault          *fault
	}
	Retry int
	Waits []string
	Ms    float64
}

func (k kept) String() string {
	return fmt.Sprintf("loaded version %q, %d of %d bytes stored, %d reused, fault %+v, notice %+v, attempt %d, waited for %v, %.0f ms",
		k.Revision, k.Storage.Stored, k.Bytes, k.Storage.Reused, k.Fault, k.Storage.Fault, k.Retry, k.Waits, k.Ms)
}

// openBlank opens an empty page of the site.
func openBlank(t *testing.T, s *server) *tab {
	t.Helper()
	return open(t, s.URL+"/blank.html", options{})
}

// keep loads a model, which is kept, and makes a picture.
func (b *tab) keep(address string) (k kept) {
	b.t.Helper()
	b.call("store.keep", &k, address)
	return k
}

// kept is what loading gave that store.begin began.
func (b *tab) kept() (k kept) {
	b.t.Helper()
	b.call("store.end", &k)
	return k
}

// loads is keep where the model is kept or not.
func (b *tab) loads(address string, store bool) (k kept) {
	b.t.Helper()
	b.call("store.keep", &k, address, map[string]bool{"store": store})
	return k
}

// forget deletes all models.
func (b *tab) forget() {
	b.t.Helper()
	b.call("store.remove", nil)
}

// stored is Undertone.storage().
type stored struct {
	Available, Persisted bool
	Used, Usage, Quota   int64
	Models               []struct {
		Address, Name, Title, Revision string
		Bytes, Stored                  int64
	}
}

func (b *tab) storage() (s stored) {
	b.t.Helper()
	b.call("store.storage", &s)
	return s
}

// TestBrowserStorage loads a model again and again, while its store is complete,
// updated, damaged, cleared, and deleted.
func TestBrowserStorage(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	profile := t.TempDir()
	b := open(t, s.URL+"/blank.html", options{profile: profile})
	first := b.keep(model)
	if first.Fault != nil || first.Storage.Stored != first.Bytes || first.Storage.Reused != 0 {
		t.Fatalf("%+v", first)
	}
	if n := s.bytes("/models/sprites/dit"); n < first.Bytes/2 {
		t.Fatalf("%d bytes were sent", n)
	}

	b.step("kept", func(t *testing.T) { b.isKept(t, s, first) })

	b.step("without a network", func(t *testing.T) {
		for name, h := range map[string]http.HandlerFunc{"none": broken, "busy": html(503), "a hotel's": html(200)} {
			s.misbehave(model, h)
			if k := b.keep(model); k.Fault != nil || k.Storage.Reused != first.Bytes || k.Storage.Fault != nil {
				t.Errorf("%s: %+v", name, k)
			}
		}
		s.misbehave(model, http.NotFound) // people who have the model may go on, and are told
		if k := b.keep(model); k.Fault != nil || k.Storage.Fault == nil || k.Storage.Fault.Code != "http-status" {
			t.Errorf("a model that is gone: %+v", k)
		}
		s.misbehave(model, nil)
	})

	b.step("updates", func(t *testing.T) {
		s.bytes("")
		for _, revision := range []string{"2", "22", "222", "2222", "22222"} {
			publishVersion(t, s, revision, content)
			k := b.keep(model)
			if n := s.bytes(".safetensors"); n != pieceBytes || k.Revision != revision || k.Storage.Stored != first.Bytes {
				t.Errorf("%d bytes were sent for the one piece that changed: %+v", n, k)
			}
			if u := b.storage(); u.Used != first.Bytes || len(u.Models) != 1 {
				t.Errorf("after the update %s: %+v", revision, u)
			}
		}
	})

	b.step("broken update", func(t *testing.T) {
		for name, h := range map[string]http.HandlerFunc{"http-status": http.NotFound, "not-weights": html(200)} {
			publishVersion(t, s, "broken", func([]byte) http.HandlerFunc { return h })
			k := b.keep(model)
			if k.Fault != nil || k.Revision != "22222" || k.Storage.Fault == nil || k.Storage.Fault.Code != name {
				t.Errorf("%s: %+v", name, k)
			}
		}
		publishVersion(t, s, "22222", content)
	})

	b.step("damaged pieces", func(t *testing.T) {
		s.bytes("")
		b.call("store.damagePieces", nil, pieceBytes)
		k := b.keep(model)
		if n := s.bytes(".safetensors"); n != 2*pieceBytes || k.Fault != nil || k.Storage.Stored != first.Bytes || k.Storage.Reused != first.Bytes-2*pieceBytes {
			t.Errorf("%d bytes were sent for two damaged pieces: %+v", n, k)
		}
		b.checkPieces(t)
	})

	b.step("cleared", func(t *testing.T) {
		s.bytes("")
		b.run(storage.ClearDataForOrigin(s.URL, "all"))
		if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
			t.Errorf("%+v", u)
		}
		k := b.keep(model)
		if n := s.bytes("/models/sprites/dit"); n < first.Bytes/2 || k.Fault != nil || k.Storage.Stored != first.Bytes {
			t.Errorf("%d bytes were sent: %+v", n, k)
		}
	})

	b.step("delete", func(t *testing.T) { deletes(t, s, b, profile, first.Bytes) })
}

// isKept looks at what is kept after loading, and loads it again.
func (b *tab) isKept(t *testing.T, s *server, first kept) {
	k := b.storage()
	if !k.Available || k.Used != first.Bytes || k.Quota == 0 || k.Usage < k.Used || len(k.Models) != 1 {
		t.Fatalf("%+v", k)
	}
	if m := k.Models[0]; m.Address != s.URL+model || m.Stored != first.Bytes || m.Bytes != first.Bytes || m.Title == "" {
		t.Errorf("%+v", m)
	}
	s.bytes("")
	again := b.keep(model)
	if n := s.bytes(".safetensors"); n != 0 || again.Storage.Reused != first.Bytes || again.Fault != nil {
		t.Errorf("%d bytes were sent, %+v", n, again)
	}
}

// checkPieces finds no piece whose content has another name.
func (b *tab) checkPieces(t *testing.T) {
	t.Helper()
	var list [][3]any
	b.call("store.pieces", &list)
	for _, p := range list {
		if p[2] != true {
			t.Errorf("the store has the damaged piece %v", p)
		}
	}
}

// deletes deletes one of two models that share pieces, then everything, on an
// origin where others keep things too.
func deletes(t *testing.T, s *server, b *tab, profile string, bytes int64) {
	b.call("otherData.write", nil)

	other := s.bundle(t).publish("other", nil)
	if k := b.keep(other); k.Fault != nil || k.Storage.Reused < bytes-2*pieceBytes {
		t.Fatalf("a second model with the same content: %+v", k)
	}
	b.call("store.remove", nil, model)
	s.bytes("")
	u := b.storage()
	if len(u.Models) != 1 || u.Models[0].Address != s.URL+other || u.Models[0].Stored != bytes || u.Used != bytes {
		t.Errorf("after one of two was deleted: %+v", u)
	}
	if k := b.keep(other); k.Fault != nil || s.bytes(".safetensors") != 0 {
		t.Errorf("the other one is not whole: %+v", k)
	}

	var r struct {
		Before, After int64
		Ms            float64
	}
	disk := onDisk(t, profile)
	b.call("otherData.freedByRemoval", &r, bytes*99/100)
	var theirs []string
	b.call("otherData.read", &theirs)
	t.Logf("%d bytes were freed in %.0f ms", r.Before-r.After, r.Ms)
	if r.Before-r.After < bytes*99/100 || r.Ms > 2000 {
		t.Errorf("%d of %d bytes were freed in %.0f ms", r.Before-r.After, bytes, r.Ms)
	}
	if freed := disk - onDisk(t, profile); freed < bytes*99/100 {
		t.Errorf("of %d bytes %d are gone from the disk", bytes, freed)
	}
	if want := []string{"file", "cache", "base", "local"}; !slices.Equal(theirs, want) {
		t.Errorf("of others' data %q is left, wanted %q", theirs, want)
	}
	if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
		t.Errorf("%+v", u)
	}
}

// onDisk is how many bytes the browser keeps for private file systems, as the
// operating system counts them.
func onDisk(t *testing.T, profile string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(profile, fileSystems), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("the browser keeps %d bytes of files: %v", n, err)
	}
	return n
}

// fileSystems is where Chromium keeps them in its profile.
const fileSystems = "Default/File System"
