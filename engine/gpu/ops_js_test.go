package gpu

import (
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/optest"
)

// The list of cases, with the kernels that this adapter would get, …
func TestOps(t *testing.T) { runOps(t, Options{}) }

// … with those for a device without any limit or feature, …
func TestOpsFloor(t *testing.T) { runOps(t, Options{Portable: true}) }

// … and, where the adapter is software, with those meant for real GPUs.
func TestOpsHardware(t *testing.T) { runOps(t, Options{Hardware: true}) }

func TestOpsHardwareFloor(t *testing.T) { runOps(t, Options{Hardware: true, Portable: true}) }

func runOps(t *testing.T, o Options) {
	d := open(t, o)
	t.Logf("%s, %+v", d.Info().Adapter, d.Caps())
	optest.Run(t, d, cpu.New(cpu.Options{}))
}

func TestContract(t *testing.T)      { optest.Contract(t, open(t, Options{})) }
func TestContractFloor(t *testing.T) { optest.Contract(t, open(t, Options{Portable: true})) }
