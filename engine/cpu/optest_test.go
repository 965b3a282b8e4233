package cpu

import (
	"testing"

	"undertone/engine/optest"
)

func TestContract(t *testing.T) { optest.Contract(t, New(Options{})) }

// Results do not depend on the number of cores: one worker and five agree to
// the bit (and every case of the list can be run).
func TestOpsOnManyCores(t *testing.T) {
	one, many := New(Options{}), New(Options{})
	one.workers, many.workers = 1, 5
	optest.Run(t, many, one)
}
