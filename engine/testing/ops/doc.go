// Package ops is the one list of cases that every machine runs.
//
// A case builds its tensors and records operations on an [op.List]; the driver
// runs it once on the machine under test and once on the reference (engine/cpu),
// and compares element by element within [op.Kind.Tolerance]. A machine's test is
// therefore three lines:
//
//	func TestOps(t *testing.T) { ops.Run(t, be, cpu.New(cpu.Options{})) }
//
// and `go test -run TestOps/MatMul` runs one operation on any machine.
//
// Every tensor of a case lies inside a larger one. What surrounds it — the rows
// above and below, the columns left and right, the padding of its rows — holds
// NaN and 3e38, so that a kernel that lets any of it reach a result is caught,
// and everything outside a result must be found unchanged afterwards. The one
// freedom a kernel has is to write whole groups of [op.Align] elements: the
// columns from Cols up to Pad(Cols) of a result may hold anything.
package ops
