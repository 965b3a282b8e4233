package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/testing/networks"
	"undertone/engine/weights"

	"github.com/chromedp/chromedp"
)

// pad makes a safetensors file longer by a tensor that no network reads.
func pad(t *testing.T, name string, n int) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	end := 8 + int(binary.LittleEndian.Uint64(data))
	var header map[string]any
	if err := json.Unmarshal(data[8:end], &header); err != nil {
		t.Fatal(err)
	}
	size := len(data) - end
	header["zz_padding"] = map[string]any{"dtype": "U8", "shape": []int{n}, "data_offsets": []int{size, size + n}}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	padding, rng := make([]byte, n), rand.NewChaCha8([32]byte{})
	rng.Read(padding)
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	for _, part := range [][]byte{text, data[end:], padding} {
		out = append(out, part...)
	}
	if err := os.WriteFile(name, out, 0o644); err != nil {
		t.Fatal(err)
	}
}

// sequential answers with a whole file, whatever part is asked for.
func sequential(file string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(file)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			panic(err)
		}
		w.Header().Set("Content-Length", quote(info.Size()))
		io.Copy(w, f)
	}
}

// TestBrowserPublishedKept keeps published files, of which one has several pieces, and does
// without them.
func TestBrowserPublishedKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	networks.WriteSD3(t, folder)
	transformer := filepath.Join(folder, "sd3", "sd3_medium.safetensors")
	pad(t, transformer, 4*pieceBytes)
	s, places := publishedSite(t, folder)
	var all int64
	for _, name := range filesOf(t, folder) {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		all += info.Size()
	}
	b := openBlank(t, s)
	there := given{"remote", places}
	interrupt := func(t *testing.T, from given) string { return b.interrupted(t, from, all) }
	whole := func(t *testing.T, what string, o opened, hash string) { b.isWhole(t, what, o, all, hash) }
	var hash string
	b.step("chosen", func(t *testing.T) {
		b.choose(folder)
		address := interrupt(t, chosen)
		o := b.opens(chosen, 32, keeping)
		whole(t, "chosen", o, "")
		hash = o.Hash
		if o.Info.Address != address || !strings.HasPrefix(address, "stored:sd3-medium-") || o.Info.Storage.Reused < pieceBytes {
			t.Errorf("the address was %s, and is %s; %+v", address, o.Info.Address, o.Info.Storage)
		}
		s.bytes("")
		again := b.opens(given{"address", address}, 32, nil)
		whole(t, "without the files", again, hash)
		if n := s.bytes("/published/"); n != 0 || again.Info.Storage.Reused != all || again.Info.Model != "sd3-medium" {
			t.Errorf("%d bytes were sent, %+v", n, again.Info)
		}
		if d := b.describes(given{"address", address}); d.Fault != nil || d.Described.Model != "sd3-medium" || len(d.Described.Found.Parts) != 4 {
			t.Errorf("%+v", d)
		}
		b.call("store.remove", nil, address)
		if u := b.storage(); u.Used != 0 || len(u.Models) != 0 {
			t.Errorf("%+v is left", u)
		}
		if o := b.opens(given{"address", address}, 0, nil); o.Fault == nil || o.Fault.Code != "files-gone" {
			t.Errorf("after it was deleted: %+v", o.Fault)
		}
	})
	b.step("addresses", func(t *testing.T) {
		address := interrupt(t, there)
		kept := b.storage().Models[0].Stored
		s.bytes("")
		o := b.opens(given{"address", address}, 32, nil)
		whole(t, "the rest", o, hash)
		if n := s.bytes("/published/sd3/"); n > all-kept+pieceBytes || o.Info.Storage.Reused < kept {
			t.Errorf("%d bytes were sent where %d of %d were there: %+v", n, kept, all, o.Info.Storage)
		}
		s.misbehave("/published/sd3/sd3_medium.safetensors", broken)
		whole(t, "without a server", b.opens(given{"address", address}, 32, nil), hash)
		b.forget()
	})
	b.step("a server without parts", func(t *testing.T) {
		s.misbehave("/published/sd3/sd3_medium.safetensors", sequential(transformer))
		whole(t, "in order", b.opens(there, 32, keeping), hash)
		b.forget()
		if o := b.opens(there, 0, nil); o.Fault == nil || o.Fault.Code != "range-missing" {
			t.Errorf("without store: %+v", o.Fault)
		}
		if d := b.describes(there); d.Fault != nil || d.Described.Model != "sd3-medium" {
			t.Errorf("%+v", d)
		}
	})
	b.step("in the Lab", func(t *testing.T) {
		whole(t, "for the Lab", b.opens(there, 32, keeping), hash)
		b.labOfKept(t, s, b.storage().Models[0].Address)
	})
}

// labOfKept: the Lab lists a model that is kept, and asks it with its own directions.
func (b *tab) labOfKept(t *testing.T, s *server, address string) {
	b.run(chromedp.Navigate(s.URL + "/lab.html#experiment=weight&seeds=1"))
	b.until(`document.querySelector("#model")?.length === 2`)
	own := `document.querySelector("#direction").textContent.includes("Sharp")` // of the site's model alone
	if !b.is(own) {
		t.Error("the site's model has other directions than its own")
	}
	b.eval(`const field = document.querySelector("#model"); field.selectedIndex = 1; field.dispatchEvent(new Event("change"))`, nil)
	b.until(`!` + own + ` && document.querySelector("#direction").length > 1`)
	if !b.is(`location.hash.includes("model=stored") && document.querySelector("#model").value === ` + quoted(address)) {
		t.Error("the address or the list names another model than the one that is asked")
	}
}

// twice is how many bytes at most lie in files that are the same: they are on the disk once.
const twice = 10_000

// keeping are the options with which a model is kept.
var keeping = map[string]any{"store": true}

// interrupted loads files of so many bytes until some pieces are there, and returns the
// address under which they are listed.
func (b *tab) interrupted(t *testing.T, from given, all int64) (address string) {
	t.Helper()
	var f *fault
	b.call("files.interrupt", &f, from, pieceBytes, keeping)
	u := b.storage()
	if f == nil || f.Name != "AbortError" || len(u.Models) != 1 || u.Models[0].Bytes != all || u.Models[0].Stored < pieceBytes || u.Models[0].Stored >= all || u.Used < u.Models[0].Stored-twice {
		t.Fatalf("interrupted: %+v, %+v of %d bytes", f, u, all)
	}
	return u.Models[0].Address
}

// isWhole looks at what is kept of files of so many bytes, and compares the picture, if a
// hash is given.
func (b *tab) isWhole(t *testing.T, what string, o opened, all int64, hash string) {
	t.Helper()
	u := b.storage()
	if o.Fault != nil || o.Info.Storage.Stored != all || o.Info.Storage.Fault != nil || u.Used > all || u.Used < all-twice || len(u.Models) != 1 || u.Models[0].Stored != all {
		t.Errorf("%s: %+v, %+v, %+v of %d bytes", what, o.Fault, o.Info.Storage, u, all)
	}
	if hash != "" && o.Hash != hash {
		t.Errorf("%s: the picture is another one", what)
	}
}

// TestBrowserPublishedRefused gives files that cannot be opened.
func TestBrowserPublishedRefused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	networks.WriteFlux(t, filepath.Join(folder, "flux"))
	networks.WriteSD3(t, filepath.Join(folder, "sd3"))
	s, places := publishedSite(t, folder)
	flux, sd3 := except(places, "/sd3/"), except(places, "/flux/")
	b := openBlank(t, s)
	elsewhere := httptest.NewServer(content([]byte("for no page of another site")))
	t.Cleanup(elsewhere.Close)
	other := given{"address", elsewhere.URL + "/closed.safetensors"}
	s.misbehave("/published/page.safetensors", html(200))
	s.misbehave("/published/sd1.safetensors", content(named(t, "cond_stage_model.transformer.x")))
	s.misbehave("/published/scaled.safetensors", content(unscaled))
	s.misbehave("/published/odd.safetensors", content(named(t, "a", "b")))
	s.misbehave("/published/cut.safetensors", func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(filepath.Join(folder, "flux/transformer/diffusion_pytorch_model.safetensors"))
		if err != nil {
			panic(err)
		}
		content(data[:200_000])(w, r)
	})
	at := func(name string) given { return given{"address", s.URL + "/published/" + name} }
	for _, c := range []struct {
		from       given
		code, says string
	}{
		{at("cut.safetensors"), "weights-truncated", "cut.safetensors"},
		{at("sd1.safetensors"), "model-unsupported", "Stable Diffusion 1"},
		{at("scaled.safetensors"), "scales-missing", "its scales are absent"},
		{at("odd.safetensors"), "model-unsupported", "looked for FLUX.1"},
		{at("page.safetensors"), "not-weights", "web page"},
		{at("none.safetensors"), "http-status", "404"},
		{other, "address-refused", "Access-Control-Allow-Origin"},
		{given{"remote", append(except(flux, "text_encoder/"), except(sd3, "sd3/sd3", "vae", "tokenizer", "text_encoder/")...)}, "parts-mixed", "does not read"},
		{given{"remote", append(except(flux, "text_encoder"), except(sd3, "text_encoder", "tokenizer", "vae")...)}, "parts-mixed", "two networks for one place"},
		{given{"fetched", []place{{"pictures/a.png", s.URL + "/published/page.safetensors"}}}, "weights-none", "none is a weight file"},
	} {
		for what, f := range map[string]*fault{"describe": b.describes(c.from).Fault, "load": b.opens(c.from, 0, nil).Fault} {
			if f == nil || f.Code != c.code || !strings.Contains(f.Message, c.says) || f.Advice == "" {
				t.Errorf("%s of %v: %+v, wanted %s that says %q", what, c.from, f, c.code, c.says)
			}
		}
	}
	if o := b.opens(given{"remote", except(flux, "tokenizer_2")}, 0, nil); o.Fault == nil || o.Fault.Code != "part-missing" || !strings.Contains(o.Fault.Message, "spiece.model") {
		t.Errorf("without a tokenizer: %+v", o.Fault)
	}

	b.step("forbidden by the site's policy", func(t *testing.T) {
		worker := "/assets/" + filepath.Base(asset(t, s.dir, "worker", ".js"))
		s.misbehave(worker, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'")
			http.ServeFile(w, r, filepath.Join(s.dir, filepath.FromSlash(worker)))
		})
		if f := b.describes(other).Fault; f == nil || f.Code != "address-refused" || !strings.Contains(f.Message, "connect-src") {
			t.Errorf("%+v", f)
		}
		s.misbehave(worker, nil)
	})
	b.step("changed since it was chosen", func(t *testing.T) {
		name := filepath.Join(folder, "sd3", "decoders", "vae.safetensors")
		b.choose(name)
		if d := b.describes(chosen); d.Fault != nil || d.Described.Found.Parts[0].Role != "decoder" {
			t.Fatalf("%+v", d)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if f := b.describes(chosen).Fault; f == nil || f.Code != "files-gone" || !strings.Contains(f.Message, "vae.safetensors") {
			t.Errorf("%+v", f)
		}
	})
}

// unscaled is a safetensors file of 8-bit floats that is marked as scaled, without scales.
var unscaled = func() []byte {
	header := `{"img_in.weight":{"dtype":"F8_E4M3","shape":[1,4],"data_offsets":[0,4]},"scaled_fp8":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[4,6]}}`
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), 1, 2, 3, 4, 0, 0)
}()

// named is a safetensors file of tensors of these names.
func named(t *testing.T, names ...string) []byte {
	t.Helper()
	var outputs []weights.Output
	for _, name := range names {
		outputs = append(outputs, weights.Float32s(name, op.F32, []int{1}, []float32{1}))
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
