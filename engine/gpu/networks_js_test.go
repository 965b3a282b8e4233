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

// That weight 0 changes no bit, and the same request none, where every K that has two tiles is
// divided.
func TestNetworksSplit(t *testing.T) {
	defer func(usual int) { shortest = usual }(shortest)
	shortest = 1 // a tile
	d := open(t, Options{Hardware: true, Portable: true})
	d.Prefer("split 32×32")
	networks.Unchanged(t, d)
}
