package enginetest

import (
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
)

func TestCPU(t *testing.T) {
	Run(t, func(*testing.T) op.Backend { return cpu.New(cpu.Options{}) }, CPU)
}
