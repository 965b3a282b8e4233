package networks

import (
	"testing"

	"undertone/engine/cpu"
)

func TestCPU(t *testing.T) {
	Run(t, cpu.New(cpu.Options{}), CPU)
}

func TestBounded(t *testing.T) { Bounded(t, cpu.New(cpu.Options{}), CPU, true) }

func TestEdges(t *testing.T) { Edges(t, cpu.New(cpu.Options{})) }

func TestJudgeOfModel(t *testing.T) { JudgeOfModel(t, cpu.New(cpu.Options{})) }
