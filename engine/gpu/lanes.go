package gpu

// lanes reports whether four threads at least run side by side and can hand one another
// what they have read: the lanes of a subgroup.
func (c Caps) lanes() bool { return c.Subgroups && c.SubgroupMin >= 4 }

// share gives a kernel for software adapters the library by which the threads of a
// workgroup get what all of them need: from one another, where the device lets them, else
// each by itself.
func (k *Kernel) share(c Caps, lib string) {
	if c.lanes() {
		lib += "_lanes"
		k.Enables = append(k.Enables, "subgroups")
	}
	k.Libs = append(k.Libs, lib)
}
