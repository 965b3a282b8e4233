package gpu

import "os"

// The planted bugs of engine/testing/mutants are kernels that this reads from a folder, so
// that one program serves for all of them.
func init() {
	if dir := os.Getenv("UNDERTONE_SHADERS"); dir != "" {
		kernelFiles = os.DirFS(dir)
	}
}
