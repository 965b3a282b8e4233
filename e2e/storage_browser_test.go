package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"undertone/engine/weights"
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

// storeHelpers are what the tests of storage need in a page. pieces lists what lies
// in the store: [name, length, whether the content has that name].
const storeHelpers = `
	globalThis.api = await import("/undertone.js");
	globalThis.keep = async (address, options) => {
		const at = performance.now(), waits = new Set();
		globalThis.progress = undefined;
		let retry = 0, result;
		const onProgress = (p) => { globalThis.progress = p; retry = Math.max(retry, p.retry ?? 0); if (p.wait) waits.add(p.wait); };
		try {
			const u = await api.Undertone.load(address, { device: "cpu", store: true, onProgress, ...options });
			const { storage, bytes, revision } = u.info;
			const { image } = await u.generate({ prompt: "a frog", steps: 1 });
			u.close();
			result = { storage, bytes, revision, hash: isSecureContext ? await test.digest(image.data) : "" };
		} catch (error) {
			result = { fault: test.fault(error) };
		}
		return { ...result, retry, waits: [...waits], ms: performance.now() - at };
	};
	globalThis.ours = async (name) => (await (await navigator.storage.getDirectory()).getDirectoryHandle("undertone")).getDirectoryHandle(name);
	globalThis.pieces = async () => {
		const list = [];
		try {
			for await (const [name, handle] of (await ours("pieces")).entries()) {
				const bytes = await (await handle.getFile()).arrayBuffer();
				list.push([name, bytes.byteLength, name === await test.digest(bytes)]);
			}
		} catch {}
		return list;
	};`

// storeTab opens an empty page of the site with the helpers.
func storeTab(t *testing.T, s *server) *tab {
	b := open(t, s.URL+"/blank.html", options{})
	b.eval(storeHelpers, nil)
	return b
}

// another opens a second tab of the same browser.
func (b *tab) another(address string) *tab {
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	c := &tab{t: b.t, ctx: ctx}
	if err := chromedp.Run(ctx); err != nil { // the first run opens the tab, which lives as long as its context
		b.t.Fatal(err)
	}
	c.run(chromedp.Navigate(address), chromedp.Evaluate(pageHelpers, nil))
	c.eval(storeHelpers, nil)
	return c
}

func (b *tab) keep(address string) (k kept) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`return keep(%q)`, address), &k)
	return k
}

func (b *tab) forget() {
	b.t.Helper()
	b.eval(`await api.Undertone.remove()`, nil)
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
	b.eval(`return api.Undertone.storage()`, &s)
	return s
}

const model = "/models/sprites/model.json"

// version publishes the model anew at its own address, with one bit changed in the
// middle of the transformer's file and the hashes that belong to it.
func version(t *testing.T, s *server, revision string, serve func([]byte) http.HandlerFunc) {
	m := s.bundle(t)
	data := m.read(m.path("dit"))
	data[len(data)/2] ^= byte(len(revision))
	path := "dit." + revision + ".safetensors"
	entry, err := weights.Describe("dit", path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	f := m.file("dit")
	f["path"], f["sha256"], f["pieces"] = path, entry.SHA256, entry.Pieces
	m.manifest["revision"] = revision
	s.misbehave("/models/sprites/"+path, serve(data))
	s.misbehave(model, content(m.text()))
}

// broken cuts every connection.
func broken(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// TestBrowserStorage loads a model again and again, while its store is complete,
// updated, damaged, cleared, and deleted.
func TestBrowserStorage(t *testing.T) {
	s := smallSite(t)
	profile := t.TempDir()
	b := open(t, s.URL+"/blank.html", options{profile: profile})
	b.eval(storeHelpers, nil)
	first := b.keep(model)
	if first.Fault != nil || first.Storage.Stored != first.Bytes || first.Storage.Reused != 0 {
		t.Fatalf("%+v", first)
	}
	if n := s.bytes("/models/sprites/dit"); n < first.Bytes/2 {
		t.Fatalf("%d bytes were sent", n)
	}

	b.step("kept", func(t *testing.T) {
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
	})

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

	b.step("P6 updates", func(t *testing.T) {
		s.bytes("")
		for _, revision := range []string{"2", "22", "222", "2222", "22222"} {
			version(t, s, revision, content)
			k := b.keep(model)
			if n := s.bytes(".safetensors"); n != pieceBytes || k.Revision != revision || k.Storage.Stored != first.Bytes {
				t.Errorf("%d bytes were sent for the one piece that changed: %+v", n, k)
			}
			if u := b.storage(); u.Used != first.Bytes || len(u.Models) != 1 {
				t.Errorf("after the update %s: %+v", revision, u)
			}
		}
	})

	b.step("P4 broken update", func(t *testing.T) {
		for name, h := range map[string]http.HandlerFunc{"http-status": http.NotFound, "not-weights": html(200)} {
			version(t, s, "broken", func([]byte) http.HandlerFunc { return h })
			k := b.keep(model)
			if k.Fault != nil || k.Revision != "22222" || k.Storage.Fault == nil || k.Storage.Fault.Code != name {
				t.Errorf("%s: %+v", name, k)
			}
		}
		version(t, s, "22222", content)
	})

	b.step("S4 damaged pieces", func(t *testing.T) {
		s.bytes("")
		b.eval(`
			let i = 0;
			for (const [name, length] of (await pieces()).filter((p) => p[1] === 4 << 20).slice(0, 2)) {
				const writable = await (await (await ours("pieces")).getFileHandle(name)).createWritable({ keepExistingData: true });
				if (i++) await writable.truncate(1000);
				else await writable.write({ type: "write", position: 70000, data: new Uint8Array([1, 2, 3]) });
				await writable.close();
			}`, nil)
		k := b.keep(model)
		if n := s.bytes(".safetensors"); n != 2*pieceBytes || k.Fault != nil || k.Storage.Stored != first.Bytes || k.Storage.Reused != first.Bytes-2*pieceBytes {
			t.Errorf("%d bytes were sent for two damaged pieces: %+v", n, k)
		}
		b.checkPieces(t)
	})

	b.step("S3 cleared", func(t *testing.T) {
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

	b.step("S8 and S9 delete", func(t *testing.T) { deletes(t, s, b, profile, first.Bytes) })
}

// checkPieces finds no piece whose content has another name.
func (b *tab) checkPieces(t *testing.T) {
	t.Helper()
	var list [][3]any
	b.eval(`return pieces()`, &list)
	for _, p := range list {
		if p[2] != true {
			t.Errorf("the store has the damaged piece %v", p)
		}
	}
}

// deletes deletes one of two models that share pieces, then everything, on an
// origin where others keep things too.
func deletes(t *testing.T, s *server, b *tab, profile string, bytes int64) {
	const foreign = `
		const root = await navigator.storage.getDirectory();
		const cache = await caches.open("theirs");
		const base = await new Promise((done, failed) => {
			const r = indexedDB.open("theirs", 1);
			r.onupgradeneeded = () => r.result.createObjectStore("notes");
			r.onsuccess = () => done(r.result);
			r.onerror = () => failed(r.error);
		});
		const settled = (r) => new Promise((done, failed) => { r.onsuccess = () => done(r.result); r.onerror = () => failed(r.error); });`
	b.eval(foreign+`
		const file = await (await root.getDirectoryHandle("theirs", { create: true })).getFileHandle("notes.txt", { create: true });
		const writable = await file.createWritable();
		await writable.write("file");
		await writable.close();
		await cache.put("/theirs", new Response("cache"));
		await settled(base.transaction("notes", "readwrite").objectStore("notes").put("base", 1));
		base.close();
		localStorage.theirs = "local";`, nil)

	other := s.bundle(t).publish("other", nil)
	if k := b.keep(other); k.Fault != nil || k.Storage.Reused < bytes-2*pieceBytes {
		t.Fatalf("a second model with the same content: %+v", k)
	}
	b.eval(fmt.Sprintf(`await api.Undertone.remove(%q)`, model), nil)
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
		Theirs        []string
	}
	disk := onDisk(t, profile)
	b.eval(foreign+`
		const usage = async () => (await navigator.storage.estimate()).usage;
		const before = await usage();
		const at = performance.now();
		await api.Undertone.remove();
		let after = await usage();
		while (before - after < 0.99 * `+fmt.Sprint(bytes)+` && performance.now() - at < 2000) { await test.sleep(50); after = await usage(); }
		const ms = performance.now() - at;
		const file = await (await (await root.getDirectoryHandle("theirs")).getFileHandle("notes.txt")).getFile();
		return { before, after, ms, theirs: [await file.text(), await (await cache.match("/theirs")).text(),
			await settled(base.transaction("notes").objectStore("notes").get(1)), localStorage.theirs] }`, &r)
	t.Logf("%d bytes were freed in %.0f ms", r.Before-r.After, r.Ms)
	if r.Before-r.After < bytes*99/100 || r.Ms > 2000 {
		t.Errorf("%d of %d bytes were freed in %.0f ms", r.Before-r.After, bytes, r.Ms)
	}
	if freed := disk - onDisk(t, profile); freed < bytes*99/100 {
		t.Errorf("of %d bytes %d are gone from the disk", bytes, freed)
	}
	if want := []string{"file", "cache", "base", "local"}; !slices.Equal(r.Theirs, want) {
		t.Errorf("of others' data %q is left, wanted %q", r.Theirs, want)
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
