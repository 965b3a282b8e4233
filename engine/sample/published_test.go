package sample_test

import (
	"context"
	"testing"

	"undertone/engine/conform"
	"undertone/engine/cpu"
)

// The lists of the library that FLUX, SD3 and HiDream were published with, and the
// latents of a small velocity field after every step.
func TestPublishedSchedules(t *testing.T) {
	report, err := conform.Run(context.Background(), cpu.New(cpu.Options{}), "../testdata/published/schedulers", conform.Options{})
	if err != nil {
		t.Fatal(err)
	}
	outputs := map[string]int{}
	for _, r := range report.Results {
		outputs[r.Output]++
		if !r.OK {
			t.Error(r)
		}
	}
	// By hand, as the pipelines pass them, and by our own rule where the list follows it.
	for output, want := range map[string]int{"sigmas": 11, "timesteps": 11, "toy_trajectory": 11, "sigmas.by_rule": 4} {
		if outputs[output] != want {
			t.Errorf("%d of %s compared, want %d", outputs[output], output, want)
		}
	}
}
