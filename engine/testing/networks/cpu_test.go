package networks

import (
	"reflect"
	"testing"

	"undertone/engine/cpu"
)

func TestCPU(t *testing.T) {
	Run(t, cpu.New(cpu.Options{}), CPU)
}

func TestBounded(t *testing.T) { Bounded(t, cpu.New(cpu.Options{}), CPU, true) }

func TestEdges(t *testing.T) { Edges(t, cpu.New(cpu.Options{})) }

func TestJudgeOfModel(t *testing.T) { JudgeOfModel(t, cpu.New(cpu.Options{})) }

// TestEditingIsTheSame: the weights of the model that edits do not depend on the order of a map.
func TestEditingIsTheSame(t *testing.T) {
	want := newFixture(t).editing().tensors["encoder"]
	for range 10 {
		if got := newFixture(t).editing().tensors["encoder"]; !reflect.DeepEqual(got, want) {
			t.Fatal("two encoders of the fixture differ")
		}
	}
}
