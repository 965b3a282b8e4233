package recipe

import "testing"

func TestScheduleJSON(t *testing.T) {
	for s, want := range map[string]string{
		"constant": `{"kind":"constant"}`, "step:5": `{"kind":"step","start":5}`, "step:5/57": `{"kind":"step","start":5,"of":57}`,
		"window:3-9": `{"kind":"window","start":3,"end":9}`, "bumps/57": `{"kind":"bumps","of":57}`, `{"kind":"x"}`: `{"kind":"x"}`,
		"step:99999999999999999999": `{"kind":"step","start":99999999999999999999}`,
	} {
		if got, ok := ScheduleJSON(s); !ok || got != want {
			t.Errorf("%s: %s %v, wanted %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "step", "step:", "step:x", "step:1-2", "step:01", "step:-1", "window:3", "window:3-", "constant:1", "bumps:2", "step:5/", "step:5/x", "slope", `step:"`, "constant/1e3"} {
		if got, ok := ScheduleJSON(s); ok {
			t.Errorf("%q was taken for %s", s, got)
		}
	}
}
