package gpu

import (
	"testing"

	"undertone/engine/testing/networks"
)

// Whole networks and the engine, with the kernels that this adapter would get.
func TestNetworks(t *testing.T) { networks.Run(t, open(t, Options{}), networks.GPU) }

// The networks, and pictures, where no tensor may be as large as their widest.
func TestNetworksBounded(t *testing.T) { networks.Bounded(t, open(t, Options{}), networks.GPU, false) }

// The networks with the kernels for a device without any limit or feature.
func TestNetworksFloor(t *testing.T) {
	networks.Golden(t, open(t, Options{Portable: true}), networks.GPU)
}
