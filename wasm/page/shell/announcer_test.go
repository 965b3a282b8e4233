package shell

import (
	"math"
	"testing"
	"time"
)

// TestAnnouncements lets a load, two pictures and a remark pass, and holds what is said to
// one message in five seconds, with no remark lost.
func TestAnnouncements(t *testing.T) {
	var v announcements
	start := time.Unix(1000, 0)
	type said struct {
		at   float64 // in seconds
		text string
	}
	var got []said
	due := -1.0
	ask := func(at float64) {
		now := start.Add(time.Duration(at * float64(time.Second)))
		text, wait := v.next(now)
		if text != "" {
			got = append(got, said{at, text})
		}
		if due = -1; wait > 0 {
			due = at + wait.Seconds()
		}
	}
	for _, e := range []struct {
		at       float64
		progress string
		note     string
		action   string
	}{
		{0, "", "", ""},
		{1, "10 percent", "", ""},
		{4, "50 percent", "", ""},
		{6.5, "80 percent", "", ""}, // the first that is said: five seconds after the start
		{7, "", "Ready.", ""},
		{8, "Step 1", "", ""},
		{8.5, "", "Done.", ""}, // with Ready, as soon as it may be
		{30, "Step 1", "", ""},
		{30.3, "", "Done.", ""}, // again, and at once
		{30.6, "", "Done.", "Copied."},
	} {
		for due >= 0 && due <= e.at {
			ask(due)
		}
		v.hear(start.Add(time.Duration(e.at*float64(time.Second))), e.progress, e.note, e.action)
		ask(e.at)
	}
	for due >= 0 {
		ask(due)
	}
	want := []said{{6, "50 percent"}, {11, "Ready. Done."}, {30.3, "Done."}, {35.3, "Copied."}}
	if len(got) != len(want) {
		t.Fatalf("it said %v, wanted %v", got, want)
	}
	for i, w := range want {
		if got[i].text != w.text || math.Abs(got[i].at-w.at) > 1e-6 {
			t.Errorf("message %d is %v, wanted %v", i, got[i], w)
		}
	}
}
