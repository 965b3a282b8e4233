package e2e

import (
	"strings"
	"testing"
)

// gpuState is what the worker's GPU has come to.
type gpuState struct {
	Calls, Buffers, Met    int
	Where                  string
	Alive                  int
	Bytes, Largest, Memory float64
	Ready                  float64 // ms
	Uncaptured             int
}

// faultyGPU opens a blank page beside the small or the shipped model, in which the calls to
// the GPU can be made to fail.
func faultyGPU(t *testing.T, s *server) *tab {
	t.Helper()
	s.prelude = gpuFaults
	b := open(t, s.URL+"/blank.html", options{})
	b.call("gpu.connect", nil)
	return b
}

// quiet holds a tab to what no planted fault may leave behind: nothing in the console but
// what the test has planted, no error that nobody has caught.
func (b *tab) quiet(t *testing.T) {
	t.Helper()
	for _, c := range b.complaints() {
		if !strings.Contains(c, "planted") {
			t.Errorf("the console has %s", c)
		}
	}
}

// spread gives n numbers from 1 up to below total, evenly, the first and the last
// among them. (Call 0 of a device is what asks whether it was born alive.)
func spread(n, total int) (list []int) {
	for i := range n {
		list = append(list, 1+i*(total-2)/max(n-1, 1))
	}
	return list
}
