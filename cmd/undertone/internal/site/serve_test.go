//go:build unix

package site

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask sends a request as it stands, so that no client changes its path or headers.
func ask(t *testing.T, addr, path, host string, header ...string) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, host, strings.Join(append(header, ""), "\r\n"))
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s of %s: %v", path, host, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// served builds a site and serves it on loopback.
func served(t *testing.T) (o Options, addr string) {
	t.Helper()
	return servedAt(t, "127.0.0.1:0", "undertone.test:80")
}

// servedAt builds a site and serves it at an address, under a name (or any, if it is "").
func servedAt(t *testing.T, at, name string) (o Options, addr string) {
	t.Helper()
	o, l := builtFor(t, at)
	s := Server(o.Out, l, name)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return o, l.Addr().String()
}

// builtFor builds a site and opens the port that it may be served at.
func builtFor(t *testing.T, at string) (Options, net.Listener) {
	t.Helper()
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	return o, l
}

// TestVary holds that caches between are told what an answer depends on: without
// that, one keeps the compressed file for clients that cannot read it.
func TestVary(t *testing.T) {
	o, addr := served(t)
	protocol, _ := filepath.Glob(filepath.Join(o.Out, "assets/protocol.*.js"))
	asset := "/assets/" + filepath.Base(protocol[0])
	res, _ := ask(t, addr, asset, addr)
	etag := res.Header.Get("ETag")
	for what, c := range map[string]struct {
		path, header, coding string
		status               int
	}{
		"a plain file of a twin":     {asset, "Accept-Encoding: identity", "", 200},
		"a brotli twin":              {asset, "Accept-Encoding: br", "br", 200},
		"a gzip twin":                {asset, "Accept-Encoding: gzip", "gzip", 200},
		"a file without a twin":      {"/", "Accept-Encoding: br", "", 200},
		"a range":                    {asset, "Range: bytes=1-2", "", 206},
		"a file that did not change": {asset, "If-None-Match: " + etag, "", 304},
		"a model":                    {"/models/tiny/model.json", "Accept-Encoding: br", "", 200},
		"a file that is not there":   {"/absent.js", "Accept-Encoding: br", "", 404},
		"a client that says nothing": {asset, "Accept: */*", "", 200},
		"a range without a twin":     {"/sw.js", "Range: bytes=0-0", "", 206},
	} {
		res, _ := ask(t, addr, c.path, addr, c.header)
		if res.StatusCode != c.status || res.Header.Get("Content-Encoding") != c.coding || strings.Join(res.Header.Values("Vary"), ", ") != "Accept-Encoding" {
			t.Errorf("%s: status %d, coding %q, Vary %q; wanted %d, %q, Accept-Encoding", what, res.StatusCode, res.Header.Get("Content-Encoding"), res.Header.Values("Vary"), c.status, c.coding)
		}
	}
}

// TestServesOnlyTheSite asks for hidden files, and for what links lead to.
func TestServesOnlyTheSite(t *testing.T) {
	o, addr := served(t)
	secret := filepath.Join(o.Root, "secret")
	put(t, secret, "secret")
	for _, name := range []string{".git/config", ".env", "assets/.env", "models/.hidden/a.txt", "shown/a.txt", "..secret/b"} {
		put(t, filepath.Join(o.Out, name), "secret")
	}
	put(t, filepath.Join(o.Out, "shown/a.txt"), "shown")
	put(t, filepath.Join(o.Root, "elsewhere/a.txt"), "secret")
	for name, to := range map[string]string{
		"out.txt": "../secret", "absolute.txt": secret, "elsewhere": "../elsewhere", "index.html.br": "../secret", "in.txt": "shown/a.txt", "folder": "shown", "root": "/",
	} {
		if err := os.Symlink(to, filepath.Join(o.Out, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(o.Out, "pipe.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/shown/a.txt": "shown", "/in.txt": "shown", "/folder/a.txt": "shown", "/./shown//a.txt": "shown",
		"/.git/config": "", "/.env": "", "/assets/.env": "", "/models/.hidden/a.txt": "", "/..secret/b": "", "/%2egit/config": "", "/shown/../.env": "", "/" + markName: "",
		"/.nojekyll": "", "/out.txt": "", "/absolute.txt": "", "/elsewhere/a.txt": "", "/root" + secret: "", "/pipe.txt": "", "/../secret": "", "/%2e%2e/secret": "",
		"/..%2fsecret": "", "/shown/%5c..%5c..%5c..%5csecret": "", "/in.txt%00": "", "/shown": "", "/models/": "",
	} {
		res, body := ask(t, addr, path, addr)
		if want != "" && (res.StatusCode != 200 || body != want) || want == "" && (res.StatusCode != 404 || !strings.HasPrefix(body, "no such file")) {
			t.Errorf("%s: status %d, %q", path, res.StatusCode, body)
		}
	}
	// A twin that leads out is as if there were none.
	res, body := ask(t, addr, "/", addr, "Accept-Encoding: br")
	if res.StatusCode != 200 || res.Header.Get("Content-Encoding") != "" || !strings.HasPrefix(body, "<link") {
		t.Errorf("the page: status %d, %.20q", res.StatusCode, body)
	}
}

// TestServesTheNewestBuild builds again under a server that runs.
func TestServesTheNewestBuild(t *testing.T) {
	o, addr := served(t)
	ask(t, addr, "/", addr)
	if err := os.Rename(o.Out, o.Out+".old"); err != nil {
		t.Fatal(err)
	}
	o.Name = "9.9.9"
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if _, body := ask(t, addr, "/", addr); !strings.Contains(body, "9.9.9") {
		t.Errorf("it serves %q", body)
	}
}

// TestForeignHosts asks a server on loopback under names that are not its own, as a
// page on the web does whose name was made to resolve to 127.0.0.1.
func TestForeignHosts(t *testing.T) {
	_, addr := served(t)
	_, port, _ := net.SplitHostPort(addr)
	for host, status := range map[string]int{
		addr: 200, "127.0.0.1": 200, "localhost": 200, "localhost:" + port: 200, "LOCALHOST:" + port: 200, "localhost.:" + port: 200, "page.localhost:" + port: 200,
		"[::1]:" + port: 200, "[::1]": 200, "127.8.9.10": 200, "undertone.test:" + port: 200, "": 200,
		"evil.example": 421, "evil.example:" + port: 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "evillocalhost": 421,
		"192.168.0.7:" + port: 421, "0.0.0.0:" + port: 421, "undertone.test.evil": 421,
	} {
		res, body := ask(t, addr, "/", host)
		if res.StatusCode != status {
			t.Errorf("Host %q: status %d, wanted %d", host, res.StatusCode, status)
		}
		if status == 421 && (strings.Contains(body, "<link") || !strings.Contains(body, "open http://"+addr+"/")) {
			t.Errorf("Host %q: it said %q", host, body)
		}
	}
	// Whoever chose to serve a network serves it under any name.
	_, all := servedAt(t, "0.0.0.0:0", "")
	_, port, _ = net.SplitHostPort(all)
	if res, _ := ask(t, "127.0.0.1:"+port, "/", "some.example"); res.StatusCode != 200 {
		t.Errorf("on all addresses, Host some.example: status %d", res.StatusCode)
	}
}

// TestServeWarns starts the server on loopback and on addresses that others reach.
func TestServeWarns(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	for addr, open := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, warned bytes.Buffer
		if err := Serve(ctx, addr, o.Out, &out, &warned); err != nil {
			t.Fatal(err)
		}
		if open != strings.Contains(warned.String(), "can be reached from other machines") || !open && warned.Len() > 0 {
			t.Errorf("%s: it warned %q", addr, warned.String())
		}
		if !strings.HasPrefix(out.String(), "Undertone is served at http://127.0.0.1:") && !(open && strings.HasPrefix(out.String(), "Undertone is served at http://localhost:")) {
			t.Errorf("%s: it said %q", addr, out.String())
		}
	}
}

// TestStalledClients asks for a large file and reads none of it.
func TestStalledClients(t *testing.T) {
	folder := t.TempDir()
	put(t, filepath.Join(folder, "large.gguf"), "")
	if err := os.Truncate(filepath.Join(folder, "large.gguf"), 64<<20); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool, 1)
	h := &handler{dir: folder, stall: 200 * time.Millisecond}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		ended <- true
	}))
	defer s.CloseClientConnections()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /large.gguf HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the server still waits")
	}
	// One that reads slowly, but reads, gets all of it.
	c, err = net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET /large.gguf HTTP/1.1\r\nHost: x\r\nRange: bytes=0-4194303\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for range 8 {
		time.Sleep(50 * time.Millisecond)
		k, err := io.CopyN(io.Discard, res.Body, 512<<10)
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if n != 4<<20 {
		t.Errorf("%d bytes came", n)
	}
}

// TestServerLimits holds that the server has an end for every wait.
func TestServerLimits(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := Server(t.TempDir(), l, "")
	if s.IdleTimeout <= 0 || s.IdleTimeout > 2*time.Minute || s.ReadTimeout <= 0 || s.ReadTimeout > 30*time.Second || s.MaxHeaderBytes > 1<<20 || s.MaxHeaderBytes <= 0 {
		t.Errorf("idle %v, reading %v, headers of %d bytes", s.IdleTimeout, s.ReadTimeout, s.MaxHeaderBytes)
	}
	if Handler("").(*handler).stall != stall {
		t.Error("an answer that nobody takes has no end")
	}
}
