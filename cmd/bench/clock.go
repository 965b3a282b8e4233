package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cpuMs is the milliseconds of CPU time that a process and all that descend from it have
// taken; false where the system does not tell (it is read from Linux's /proc).
func cpuMs(proc string, root int) (float64, bool) {
	children := map[int][]int{}
	stats, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	for _, name := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state parent …, where the name may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 1 {
			parent, _ := strconv.Atoi(fields[1])
			children[parent] = append(children[parent], pid)
		}
	}
	ns, found := 0.0, false
	for queue := []int{root}; len(queue) > 0; queue = queue[1:] {
		queue = append(queue, children[queue[0]]...)
		threads, _ := filepath.Glob(filepath.Join(proc, strconv.Itoa(queue[0]), "task", "[0-9]*", "schedstat"))
		for _, name := range threads {
			text, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			on, _, _ := strings.Cut(string(text), " ")
			if v, err := strconv.ParseFloat(on, 64); err == nil {
				ns, found = ns+v, true
			}
		}
	}
	return ns / 1e6, found
}

// load is how many threads wait for a processor or run, on average over a minute; 0 where
// the system does not tell.
func load(proc string) float64 {
	text, _ := os.ReadFile(filepath.Join(proc, "loadavg"))
	first, _, _ := strings.Cut(string(text), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}
