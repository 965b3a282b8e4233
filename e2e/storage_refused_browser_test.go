package e2e

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// TestBrowserStorageRefused has browsers that keep little or nothing: the picture is
// made all the same.
func TestBrowserStorageRefused(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := openBlank(t, s)
	whole := b.keep(model).Bytes
	quota := func(bytes float64) {
		b.forget()
		b.run(storage.OverrideQuotaForOrigin(s.URL).WithQuotaSize(bytes))
	}
	refused := func(t *testing.T, code string) (k kept) {
		t.Helper()
		if k = b.keep(model); k.Fault != nil || k.Storage.Fault == nil || k.Storage.Fault.Code != code || k.Storage.Fault.Advice == "" {
			t.Errorf("%+v, wanted a picture and the notice %s", k, code)
		}
		b.checkPieces(t)
		return k
	}

	b.step("quota 3 MB", func(t *testing.T) {
		quota(3 << 20)
		if k := refused(t, "storage-full"); k.Storage.Stored >= 3<<20 {
			t.Errorf("%+v", k)
		}
	})
	b.step("quota of 90 percent", func(t *testing.T) {
		quota(float64(whole) * 0.9)
		first := refused(t, "storage-full")
		s.bytes("")
		again := refused(t, "storage-full")
		if n := s.bytes(".safetensors") + s.bytes(".json"); first.Storage.Stored == 0 || again.Storage.Reused < first.Storage.Stored || n > 2*pieceBytes {
			t.Errorf("%d bytes were sent again: %+v, then %+v", n, first, again)
		}
	})
	b.run(storage.OverrideQuotaForOrigin(s.URL))

	good := s.prelude
	for name, prelude := range map[string]string{
		"no OPFS":      `StorageManager.prototype.getDirectory = async () => { throw new DOMException("not here", "SecurityError"); };`,
		"no storage":   `Object.defineProperty(WorkerNavigator.prototype, "storage", { value: undefined });`,
		"no locks":     `Object.defineProperty(WorkerNavigator.prototype, "locks", { value: undefined });`,
		"no handles":   `delete FileSystemFileHandle.prototype.createSyncAccessHandle;`,
		"read only":    `FileSystemFileHandle.prototype.createWritable = async () => { throw new DOMException("no", "NotAllowedError"); };`,
		"broken locks": `LockManager.prototype.request = async () => { throw new DOMException("no", "SecurityError"); };`,
	} {
		b.step(name, func(t *testing.T) {
			b.forget()
			s.prelude = prelude + good
			defer func() { s.prelude = good }()
			if name == "broken locks" { // harmless
				if k := b.keep(model); k.Fault != nil || k.Storage.Stored != whole {
					t.Errorf("%+v", k)
				}
				return
			}
			if k := refused(t, "storage-refused"); k.Storage.Stored != 0 {
				t.Errorf("%+v", k)
			}
		})
	}

	b.step("persist denied", func(t *testing.T) {
		b.persists(t, s)
		if k := b.keep(model); k.Fault != nil || k.Storage.Stored != whole {
			t.Errorf("%+v", k)
		}
	})
	b.step("sandboxed frame", func(t *testing.T) { b.sandboxed(t, s) })
}

// persists asks browsers to keep what they have, who answer in every way.
func (b *tab) persists(t *testing.T, s *server) {
	var r []bool
	if b.call("store.persistAnswers", &r); !slices.Equal(r, []bool{true, false, false}) {
		t.Errorf("%v", r)
	}
	for _, c := range []struct {
		setting browser.PermissionSetting
		kept    bool
	}{{browser.PermissionSettingDenied, false}, {browser.PermissionSettingGranted, true}} {
		b.run(chromedp.ActionFunc(func(ctx context.Context) error {
			return browser.SetPermission(&browser.PermissionDescriptor{Name: "persistent-storage"}, c.setting).WithOrigin(s.URL).
				Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
		}))
		var is bool
		if b.call("store.persist", &is); is != c.kept {
			t.Errorf("where the browser has it %s, persist said %v", c.setting, is)
		}
	}
}

// sandboxed loads a model in a frame that may keep nothing.
func (b *tab) sandboxed(t *testing.T, s *server) {
	s.misbehave("/frame.html", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "testdata/pages/sandboxed.html")
	})
	var r struct {
		Code, Advice, Removed string
		Storage               stored
		Persist               bool
	}
	b.call("store.sandboxed", &r, "/frame.html")
	if r.Code != "worker-failed" || !strings.Contains(r.Advice, "full page") || r.Storage.Available || r.Persist || r.Removed != "storage-refused" {
		t.Errorf("%+v", r)
	}
}

// TestBrowserNoStorage has browsers that really have no storage: at an address that
// is not secure, where neither files nor locks nor hashes are offered, and with a
// profile in which there is no room for files.
func TestBrowserNoStorage(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	profile := t.TempDir()
	write(t, filepath.Join(profile, fileSystems), "not a folder")
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, c := range []struct {
		name, address string
		o             options
	}{
		{"an address that is not secure", "http://undertone.test:" + port, options{names: "undertone.test"}},
		{"a disk that does not take files", s.URL, options{profile: profile}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, c.address+"/blank.html", c.o)
			k := b.keep(model)
			if k.Fault != nil || k.Bytes == 0 || k.Storage.Stored != 0 || k.Storage.Fault == nil || k.Storage.Fault.Code != "storage-refused" || k.Storage.Fault.Advice == "" {
				t.Errorf("%+v, wanted a picture and the notice storage-refused", k)
			}
			if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
				t.Errorf("%+v", u)
			}
		})
	}
}

// TestBrowserStoragePage is the same as people see it.
func TestBrowserStoragePage(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	f := newSource(t, s)
	b := open(t, s.URL+"/", options{noGPU: true})
	says := func(t *testing.T, selector, words string) {
		t.Helper()
		b.until(fmt.Sprintf(`document.querySelector(%q).textContent.includes(%q)`, selector, words))
	}
	b.ready()

	b.step("nothing before consent", func(t *testing.T) {
		b.eval(`await test.sleep(500)`, nil)
		if asked := slices.Concat(s.asked(".safetensors"), s.asked("/tokenizer")); len(asked) != 0 {
			t.Errorf("before Load was pressed the page has asked for %v", asked)
		}
	})
	b.step("what is here already", func(t *testing.T) {
		f.is(f.stopsAt(2*pieceBytes + 10))
		b.click("#load-cpu")
		b.call("store.holds", nil, 2*pieceBytes)
		f.is(nil)
		b.run(chromedp.Reload())
		b.ready()
		says(t, "#load-note", "are already here")
		s.bytes("")
		b.loadModel()
		if n := int(s.bytes(f.path)); n > len(f.data)-2*pieceBytes {
			t.Errorf("%d bytes were sent", n)
		}
	})
	b.step("delete", func(t *testing.T) {
		b.eval(`document.querySelector("#storage").open = true`, nil)
		says(t, "#storage-used", "MB are stored")
		says(t, "#storage .models li", "Fixture")
		b.eval(`document.querySelector("#storage .models button").click()`, nil)
		says(t, "#storage-used", "Nothing is stored")
		b.generate()
		b.run(chromedp.Reload())
		b.ready()
		says(t, "#load-note", "Nothing is downloaded before you press")
	})
	b.step("not kept", func(t *testing.T) {
		s.prelude += `StorageManager.prototype.getDirectory = async () => { throw new DOMException("not here", "SecurityError"); };`
		b.loadModel()
		says(t, "#note", "could not be stored")
	})
	b.silent(t)
}
