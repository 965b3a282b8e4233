//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asTool makes this test binary the tool itself.
const asTool = "UNDERTONE_TEST_AS_TOOL"

func TestMain(m *testing.M) {
	if os.Getenv(asTool) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the tool in a process of its own, which signals can end.
type process struct {
	*exec.Cmd
	said  bytes.Buffer
	ended chan error
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0], args...), ended: make(chan error, 1)}
	p.Env = append(os.Environ(), asTool+"=1")
	p.Stdout, p.Stderr = &p.said, &p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill() })
	go func() { p.ended <- p.Wait() }()
	return p
}

// soon is how long the tool may take to end after Ctrl+C. It should be well under a
// second; a machine with other work may need longer.
const soon = 3 * time.Second

// interrupt presses Ctrl+C and wants the process to end.
func (p *process) interrupt(t *testing.T) (code int, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode(), time.Since(begin)
	case <-time.After(20 * time.Second):
		t.Fatalf("%v: it survives Ctrl+C: %s", p.Args[1:], p.said.String())
		return 0, 0
	}
}

// TestPipesAndCtrlC gives every command FIFOs to which nobody writes, or from which
// nobody reads, and stops it.
func TestPipesAndCtrlC(t *testing.T) {
	model, in, folder := tinyModel(t), passInput(t), t.TempDir()
	fifo := filepath.Join(folder, "fifo.png")
	root := filepath.Join(folder, "root")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{fifo, filepath.Join(folder, "fifo.safetensors"), filepath.Join(root, "VERSION")} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"generate", model, "--guidance", fifo, "-o", filepath.Join(folder, "x.png")},
		{"generate", model, "-o", fifo},
		{"forward", model, "--in", in, "--out", filepath.Join(folder, "fifo.safetensors")},
		{"dist", "--root", root, "--out", filepath.Join(folder, "site")},
	} {
		p := start(t, args...)
		select {
		case err := <-p.ended:
			t.Errorf("%v: it did not wait: %v, %s", args, err, p.said.String())
			continue
		case <-time.After(700 * time.Millisecond): // until it waits for the pipe, or at least catches signals
		}
		if code, took := p.interrupt(t); code != interrupted || took > soon {
			t.Errorf("%v: code %d after %v: %s", args, code, took, p.said.String())
		}
	}

	// Input through a pipe works.
	p := start(t, "generate", model, "--guidance", fifo, "-o", filepath.Join(folder, "x.png"))
	if err := os.WriteFile(fifo, []byte(`[{"positive":"frog","weight":1,"schedule":{"kind":"constant"}}]`), 0); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil || !strings.Contains(p.said.String(), "direction 1") {
		t.Errorf("directions through a pipe: %v, %s", err, p.said.String())
	}

	// Weights are read in any order, which a pipe cannot give: refused without waiting.
	weights := filepath.Join(model, "vae.safetensors")
	if err := os.Remove(weights); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(weights, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"generate", model, "-o", "-"}, {"inspect", model}, {"inspect", weights}, {"convert", model, "--out", filepath.Join(folder, "q")},
		{"forward", model, "--in", fifo, "--out", "-"},
	} {
		p := start(t, args...)
		select {
		case <-p.ended:
			if p.ProcessState.ExitCode() != 1 || !strings.Contains(p.said.String(), "not a file") {
				t.Errorf("%v: code %d, %s", args, p.ProcessState.ExitCode(), p.said.String())
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%v: it waits for a pipe", args)
		}
	}
}

// TestLargePicturesStop stops a picture of 2048 × 2048, which takes very long on the
// CPU, while it is prepared and while it is made.
func TestLargePicturesStop(t *testing.T) {
	model := tinyModel(t)
	name := filepath.Join(model, "model.json")
	text := bytes.Replace(read(t, name), []byte(`"sizes":[32,`), []byte(`"sizes":[32,2048,`), 1)
	if !bytes.Contains(text, []byte("2048")) {
		t.Fatal("model.json names its sizes otherwise")
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, wait := range []time.Duration{300 * time.Millisecond, 1500 * time.Millisecond} {
		p := start(t, "generate", model, "--size", "2048", "--steps", "8", "-o", filepath.Join(folder, "x.png"))
		time.Sleep(wait)
		if code, took := p.interrupt(t); code != interrupted || took > soon || !strings.Contains(p.said.String(), "stopped") {
			t.Errorf("after %v: code %d, %v: %s", wait, code, took, p.said.String())
		}
	}
	if list, err := os.ReadDir(folder); err != nil || len(list) > 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// TestServeEndsWithCtrlC stops the server while a browser holds a connection.
func TestServeEndsWithCtrlC(t *testing.T) {
	site := t.TempDir()
	if err := os.WriteFile(filepath.Join(site, "index.html"), []byte("page"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", site, "--addr", "127.0.0.1:0")
	time.Sleep(500 * time.Millisecond)
	if code, took := p.interrupt(t); code != 0 || took > soon {
		t.Errorf("code %d after %v: %s", code, took, p.said.String())
	}
}
