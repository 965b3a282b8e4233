package page

import "testing"

// TestUpdateWaits holds an update back until it is wanted and nothing runs.
func TestUpdateWaits(t *testing.T) {
	for _, c := range []struct {
		phase  phase
		wanted bool
		update string
		due    bool
	}{
		{waiting, false, "waiting", false},
		{ready, false, "waiting", false},
		{ready, true, "", false},
		{loading, true, "waiting", false},
		{generating, true, "waiting", false},
		{generating, true, "chosen", false},
		{waiting, true, "waiting", true},
		{ready, true, "waiting", true},
		{ready, true, "chosen", true},
	} {
		s := state{phase: c.phase, network: network{wanted: c.wanted, update: c.update}}
		if got := s.due(); got != c.due {
			t.Errorf("%+v: due is %v", c, got)
		}
	}
}
