package gpu

import (
	"fmt"
	"testing"
	"time"
)

// simulated is a GPU that does work one submit after the other, of which news takes a while.
type simulated struct {
	pace
	now, free time.Time
	news      time.Duration
	inflight  []struct {
		flops      float64
		sent, seen time.Time
	}
}

// run submits full submits at a rate until so much time has passed, and returns the FLOPs
// in a second, and the longest that work was in flight in the second half.
func (s *simulated) run(rate float64, lasts time.Duration) (reached float64, longest time.Duration) {
	begin, done, half := s.now, 0.0, s.now.Add(lasts/2)
	for s.now.Before(begin.Add(lasts)) {
		for len(s.inflight) >= 2 {
			oldest := s.inflight[0]
			s.inflight = s.inflight[1:]
			if oldest.seen.After(s.now) {
				s.now = oldest.seen
			}
			s.ended(oldest.flops, oldest.sent, oldest.seen)
			if oldest.sent.After(half) {
				longest = max(longest, oldest.seen.Sub(oldest.sent))
				done += oldest.flops
			}
		}
		start := s.now.Add(s.news / 2)
		if s.free.After(start) {
			start = s.free
		}
		s.free = start.Add(time.Duration(s.submit / rate * 1e9))
		s.inflight = append(s.inflight, struct {
			flops      float64
			sent, seen time.Time
		}{s.submit, s.now, s.free.Add(s.news / 2)})
	}
	return done / s.now.Sub(half).Seconds(), longest
}

// TestPace: whatever the GPU and however late the news, the GPU is kept busy, and little is
// in flight; also when all of a sudden it is five times as slow.
func TestPace(t *testing.T) {
	for _, rate := range []float64{50e9, 300e9, 3e12, 40e12} {
		for _, news := range []time.Duration{50 * time.Microsecond, 2400 * time.Microsecond} {
			t.Run(fmt.Sprintf("%gG/%v", rate/1e9, news), func(t *testing.T) {
				s := &simulated{pace: newPace(submitFlops, false), now: time.Unix(0, 0), news: news}
				for _, r := range []float64{rate, rate / 5, rate} {
					reached, longest := s.run(r, 6*time.Second)
					t.Logf("%.3g GFLOP a submit, %.0f %% of the rate, %v in flight", s.submit/1e9, 100*reached/r, longest)
					if reached < 0.9*r || longest > 60*time.Millisecond {
						t.Errorf("%.0f %% of the rate are reached with %v in flight, want 90 and at most 60 ms", 100*reached/r, longest)
					}
				}
			})
		}
	}
}

// TestPaceSlowing: the first submits after the slowing, which nobody could foresee, are the
// longest, of 100 ms at most where it becomes three times as slow.
func TestPaceSlowing(t *testing.T) {
	s := &simulated{pace: newPace(submitFlops, false), now: time.Unix(0, 0), news: time.Millisecond}
	s.run(20e12, 3*time.Second)
	before := s.submit
	longest := time.Duration(0)
	for range 10 { // halves of 25 ms each are looked at
		_, l := s.run(20e12/3, 50*time.Millisecond)
		longest = max(longest, l)
	}
	if longest > 100*time.Millisecond || s.submit > before/2 {
		t.Errorf("%v in flight, %g of work a submit after %g", longest, s.submit, before)
	}
}

func TestPaceFixed(t *testing.T) {
	s := &simulated{pace: newPace(1e9, true), now: time.Unix(0, 0), news: time.Millisecond}
	if s.run(40e12, time.Second); s.submit != 1e9 {
		t.Errorf("a fixed submit became %g", s.submit)
	}
}
