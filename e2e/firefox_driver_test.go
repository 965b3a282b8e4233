package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// firefox is a tab in a Firefox of its own, driven through WebDriver BiDi, which
// Firefox speaks by itself: JSON over one WebSocket
// (https://www.w3.org/TR/webdriver-bidi/).
type firefox struct {
	t    *testing.T
	conn net.Conn
	tab  string // the browsing context

	mu        sync.Mutex
	next      int
	waiting   map[int]chan answer
	complaint []string // errors in the console and exceptions
}

// answer is what the browser says to a command.
type answer struct {
	Result  json.RawMessage
	Error   string
	Message string
}

// preferences of a profile: values as they stand in its user.js.
type preferences map[string]string

// openFirefox starts Firefox with a fresh profile of these preferences, and these
// variables in its environment, and opens the address. Where it is driven, Firefox by itself leaves out what it would ask
// its maker or a person.
func openFirefox(t *testing.T, address string, p preferences, environment ...string) *firefox {
	t.Helper()
	binary, err := exec.LookPath("firefox-esr")
	if err != nil {
		t.Skip("there is no firefox-esr: install it (Debian: apt install firefox-esr) to run this test")
	}
	profile := t.TempDir()
	var lines strings.Builder
	for name, value := range p {
		fmt.Fprintf(&lines, "user_pref(%q, %s);\n", name, value)
	}
	write(t, filepath.Join(profile, "user.js"), lines.String())

	cmd := exec.Command(binary, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0")
	cmd.Env = append(append(os.Environ(), "HOME="+profile, "MOZ_CRASHREPORTER_DISABLE=1"), environment...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f := &firefox{t: t, waiting: map[int]chan answer{}}
	t.Cleanup(func() { f.end(cmd) })
	f.connect(bufio.NewScanner(said))
	f.send("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	f.send("session.subscribe", map[string]any{"events": []string{"log.entryAdded"}}, nil)
	f.send("script.addPreloadScript", map[string]any{"functionDeclaration": "() => {" + pageScripts() + "}"}, nil)
	// The first tab never has the focus.
	var tab struct{ Context string }
	f.send("browsingContext.create", map[string]any{"type": "tab"}, &tab)
	f.tab = tab.Context
	f.viewport(1280, 900)
	f.navigate(address)
	return f
}

// connect waits until the browser says where it listens, and goes on reading what it
// writes, so that it never waits for a reader.
func (f *firefox) connect(said *bufio.Scanner) {
	f.t.Helper()
	at := make(chan string, 1)
	go func() {
		defer close(at)
		for said.Scan() {
			if _, address, ok := strings.Cut(said.Text(), "WebDriver BiDi listening on "); ok {
				at <- address
			}
		}
	}()
	select {
	case address, ok := <-at:
		if !ok {
			f.t.Fatal("Firefox ended before it listened")
		}
		conn, _, _, err := ws.Dial(context.Background(), address+"/session")
		if err != nil {
			f.t.Fatal(err)
		}
		f.conn = conn
		go f.hear()
	case <-time.After(patience):
		f.t.Fatal("Firefox does not say where it listens")
	}
}

// hear hands every answer to who waits for it, until the connection ends.
func (f *firefox) hear() {
	for {
		text, err := wsutil.ReadServerText(f.conn)
		f.mu.Lock()
		if err != nil {
			for id, c := range f.waiting {
				c <- answer{Error: "the connection has ended", Message: err.Error()}
				delete(f.waiting, id)
			}
			f.waiting = nil
			f.mu.Unlock()
			return
		}
		var m struct {
			answer
			ID     *int
			Method string
			Params struct{ Level, Text string }
		}
		switch err := json.Unmarshal(text, &m); {
		case err != nil:
			f.complaint = append(f.complaint, fmt.Sprintf("BiDi: %v in %.200s", err, text))
		case m.ID != nil && f.waiting[*m.ID] != nil:
			f.waiting[*m.ID] <- m.answer
			delete(f.waiting, *m.ID)
		case m.Method == "log.entryAdded" && m.Params.Level == "error":
			f.complaint = append(f.complaint, m.Params.Text)
		}
		f.mu.Unlock()
	}
}

// complaints returns what went wrong in the page since the last call.
func (f *firefox) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.complaint
	f.complaint = nil
	return c
}

// send sends a command and decodes its result.
func (f *firefox) send(method string, params map[string]any, into any) {
	f.t.Helper()
	f.mu.Lock()
	if f.waiting == nil {
		f.mu.Unlock()
		f.t.Fatalf("%s: Firefox is gone", method)
	}
	f.next++
	id, c := f.next, make(chan answer, 1)
	f.waiting[id] = c
	f.mu.Unlock()
	text, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	if err == nil {
		err = wsutil.WriteClientText(f.conn, text)
	}
	if err != nil {
		f.t.Fatalf("%s: %v", method, err)
	}
	select {
	case a := <-c:
		if a.Error != "" {
			f.t.Fatalf("%s: %s: %s\nthe page says: %v", method, a.Error, a.Message, f.complaints())
		}
		if into != nil {
			if err := json.Unmarshal(a.Result, into); err != nil {
				f.t.Fatalf("%s answers %.200s: %v", method, a.Result, err)
			}
		}
	case <-time.After(patience):
		f.t.Fatalf("%s is not answered\nthe page says: %v", method, f.complaints())
	}
}

// end closes the browser, and kills it if it does not go.
func (f *firefox) end(cmd *exec.Cmd) {
	late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	defer cmd.Wait() // by then it has written its profile
	if f.conn == nil {
		cmd.Process.Kill()
		return
	}
	defer f.conn.Close()
	f.mu.Lock()
	gone := f.waiting == nil
	f.mu.Unlock()
	if !gone {
		f.send("browser.close", map[string]any{}, nil)
	}
}

func (f *firefox) navigate(address string) {
	f.t.Helper()
	f.send("browsingContext.navigate", map[string]any{"context": f.tab, "url": address, "wait": "complete"}, nil)
}

func (f *firefox) viewport(width, height int) {
	f.t.Helper()
	f.send("browsingContext.setViewport", map[string]any{"context": f.tab, "viewport": map[string]any{"width": width, "height": height}}, nil)
}

// eval evaluates the body of an async JavaScript function and decodes what it returns.
func (f *firefox) eval(body string, into any) {
	f.t.Helper()
	var r struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	f.send("script.evaluate", map[string]any{
		"expression": awaited(body),
		"target":     map[string]any{"context": f.tab}, "awaitPromise": true, "userActivation": true,
	}, &r)
	if r.Type != "success" {
		f.t.Fatalf("%s\nthrows %s\nthe page says: %v", body, r.ExceptionDetails.Text, f.complaints())
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(r.Result.Value), into); err != nil {
		f.t.Fatalf("%s returned %.200s: %v", body, r.Result.Value, err)
	}
}

// call calls a function of scripts/page, as a tab of Chromium does.
func (f *firefox) call(function string, into any, arguments ...any) {
	f.t.Helper()
	f.eval(calling(function, arguments), into)
}

// until waits for a JavaScript expression to become true.
func (f *firefox) until(expression string) {
	f.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var is bool
		if f.eval("return Boolean("+expression+")", &is); is {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("not within %v: %s\nthe page says: %v", patience, expression, f.complaints())
		}
	}
}

// chooseFiles has a person choose files.
func (f *firefox) chooseFiles(selector string, paths ...string) {
	f.t.Helper()
	var r struct{ Result struct{ SharedID string } }
	f.send("script.evaluate", map[string]any{
		"expression": `document.querySelector(` + quote(selector) + `)`, "target": map[string]any{"context": f.tab}, "awaitPromise": false,
	}, &r)
	f.send("input.setFiles", map[string]any{"context": f.tab, "element": map[string]any{"sharedId": r.Result.SharedID}, "files": paths}, nil)
}

// press presses keys one after another, the first ones held down until all are up.
func (f *firefox) press(keys ...string) {
	f.t.Helper()
	var acts []map[string]any
	for _, k := range keys {
		acts = append(acts, map[string]any{"type": "keyDown", "value": k})
	}
	for i := len(keys) - 1; i >= 0; i-- {
		acts = append(acts, map[string]any{"type": "keyUp", "value": keys[i]})
	}
	f.send("input.performActions", map[string]any{"context": f.tab, "actions": []any{map[string]any{"type": "key", "id": "keys", "actions": acts}}}, nil)
}

// screenshot is what the window shows, as a PNG file.
func (f *firefox) screenshot() []byte {
	f.t.Helper()
	var r struct{ Data string }
	f.send("browsingContext.captureScreenshot", map[string]any{"context": f.tab}, &r)
	data, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}
