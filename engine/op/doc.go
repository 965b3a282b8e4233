// Package op is the contract between models and machines.
//
// A model (engine/dit, engine/vae, engine/text) appends operations to a [List]
// and never executes anything itself. A machine ([Backend]: plain Go in
// engine/cpu, WebGPU in engine/gpu) compiles a list once and replays it as often
// as needed. Shapes are checked here, once, when an operation is appended; the
// tolerance to which every machine is held stands in [Tolerance].
//
// Every tensor is a matrix [Rows, Cols]: token sequences are [tokens, channels],
// images are [height*width, channels] (channels last) with height and width
// given to the operations that need them, vectors are [1, n].
package op
