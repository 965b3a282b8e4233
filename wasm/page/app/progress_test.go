package app

import (
	"math"
	"strings"
	"testing"
	"time"

	"undertone/wasm/page/words"
)

func TestStarts(t *testing.T) {
	for _, l := range words.Languages {
		words.Use(l)
		gpu, cpu := Progress{Device: "auto"}.Starts(), Progress{Device: "cpu"}.Starts()
		if strings.Contains(gpu, "CPU") || !strings.Contains(gpu, "WebGPU") || !strings.Contains(cpu, "CPU") || strings.Contains(cpu, "GPU") {
			t.Errorf("%s: of WebGPU it says %q, of the CPU %q", l.Tag, gpu, cpu)
		}
	}
	words.Use(words.Languages[0])
}

func TestMeter(t *testing.T) {
	var m Meter
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	if m.Add(start, 0); m.Speed() != 0 {
		t.Error("one sample gives a speed")
	}
	// A second at 1 MB/s, then five at 4 MB/s: what counts is the line as it is now.
	done := int64(0)
	for i := 1; i <= 60; i++ {
		if i <= 10 {
			done += 100_000
		} else {
			done += 400_000
		}
		m.Add(start.Add(time.Duration(i)*100*time.Millisecond), done)
	}
	if s := m.Speed(); math.Abs(s-4e6) > 1e5 {
		t.Errorf("the speed is %.0f bytes/s, wanted 4,000,000", s)
	}
	if len(m.samples) > 40 {
		t.Errorf("%d samples are kept", len(m.samples))
	}
	m.Add(start.Add(20*time.Second), done)
	if s := m.Speed(); s > 1e6 {
		t.Errorf("after 14 s of silence the speed is still %.0f", s)
	}
}
