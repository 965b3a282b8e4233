package gpu

import "testing"

// Two kernels with one key would be compiled once, and one of them be wrong.
func TestKeyTellsKernelsApart(t *testing.T) {
	seen := map[string]int{}
	for i, k := range []Kernel{
		{File: "add", Libs: []string{"store", "place"}, Prelude: "const A: u32 = 1u;"},
		{File: "cfg", Libs: []string{"store", "place"}, Prelude: "const A: u32 = 1u;"},
		{File: "add", Libs: []string{"store"}, Prelude: "const A: u32 = 1u;"},
		{File: "add", Libs: []string{"place", "store"}, Prelude: "const A: u32 = 1u;"},
		{File: "add", Libs: []string{"store", "place"}, Prelude: "const A: u32 = 2u;"},
		{File: "add", Libs: []string{"store", "place"}, Enables: []string{"f16"}, Prelude: "const A: u32 = 1u;"},
		{File: "add", Libs: []string{"store", "place", "f16"}, Prelude: "const A: u32 = 1u;"},
	} {
		if other, ok := seen[k.key()]; ok {
			t.Errorf("kernels %d and %d have one key", other, i)
		}
		seen[k.key()] = i
	}
}
