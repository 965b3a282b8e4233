package gpu

import (
	"testing"

	"undertone/engine/enginetest"
)

// Whole networks and the engine, with the kernels that this adapter would get.
func TestNetworks(t *testing.T) { enginetest.Run(t, open(t, Options{}), enginetest.GPU) }

// The networks with the kernels for a device without any limit or feature.
func TestNetworksFloor(t *testing.T) {
	enginetest.Golden(t, open(t, Options{Portable: true}), enginetest.GPU)
}
