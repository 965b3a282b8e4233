package networks

import (
	"testing"

	"undertone/engine/cpu"
)

func TestCPU(t *testing.T) {
	Run(t, cpu.New(cpu.Options{}), CPU)
}

func TestEdges(t *testing.T) { Edges(t, cpu.New(cpu.Options{})) }
