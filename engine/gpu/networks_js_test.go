package gpu

import (
	"testing"

	"undertone/engine/testing/networks"
)

// Whole networks and the engine, with the kernels that this adapter would get.
func TestNetworks(t *testing.T) { networks.Run(t, open(t, Options{}), networks.GPU) }

// The networks with the kernels for a device without any limit or feature.
func TestNetworksFloor(t *testing.T) {
	networks.Golden(t, open(t, Options{Portable: true}), networks.GPU)
}
