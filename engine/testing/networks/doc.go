// Package networks holds the tests that every machine must pass with whole
// networks: against golden files that PyTorch computed in float64
// (train/golden.py), and for what the engine promises whatever the weights. They
// run natively and, under Node, as js/wasm. A machine's test is
//
//	func TestNetworks(t *testing.T) { networks.Run(t, be, networks.GPU) }
package networks
