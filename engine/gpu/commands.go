package gpu

// The command list that web/replay.js replays: recordWords words for each launch.
const recordWords = 5 // pipeline, bind group, workgroups x, y, z

// commands is a program flattened for replay.
type commands struct {
	words  []uint32
	splits []int     // the submits: launches splits[i] … splits[i+1]
	work   []float64 // estimated arithmetic of each submit
	limit  float64   // the most of one, but where one launch has more
}

// How much work one submit may hold before anything is known of the GPU (see pace). A
// driver's watchdog fires at 2 s; slow integrated GPUs reach some 100 GFLOP/s, software
// adapters a few.
const (
	submitFlops         = 4e9
	submitFlopsSoftware = 0.25e9
)

// launchSubmits is how many times the arithmetic of a full submit a launch may have before
// it is cut; it has a submit of its own then. More of them would leave a large GPU idle
// between them; at 100 GFLOP/s one takes 0.16 s.
const launchSubmits = 4

// submitLimit is how much arithmetic one submit may hold.
func (c Caps) submitLimit() float64 {
	if c.CPU {
		return submitFlopsSoftware
	}
	return submitFlops
}

// flatten builds the command list; pipelines[i] is the table index of launch i's
// pipeline, its bind group is i; limit is the most arithmetic of one submit.
func flatten(steps []step, pipelines []uint32, limit float64) commands {
	cmd := commands{words: make([]uint32, 0, recordWords*len(steps))}
	for i, s := range steps {
		cmd.words = append(cmd.words, pipelines[i], uint32(i), uint32(s.Groups[0]), uint32(s.Groups[1]), uint32(s.Groups[2]))
	}
	cmd.split(steps, limit)
	return cmd
}

// split makes submits of the launches, of at most limit where none has more by itself.
func (c *commands) split(steps []step, limit float64) {
	c.splits, c.work, c.limit = []int{0}, nil, limit
	var sum float64
	for i, s := range steps {
		if sum > 0 && sum+s.flops > limit {
			c.splits, c.work = append(c.splits, i), append(c.work, sum)
			sum = 0
		}
		sum += s.flops
	}
	c.splits, c.work = append(c.splits, len(steps)), append(c.work, sum)
}

// uniformSlot is the distance of two launches' parameters in the uniform buffer:
// WebGPU's default (and largest) minUniformBufferOffsetAlignment.
const uniformSlot = 256

// uniforms lays the parameters of all launches out, one slot each.
func uniforms(steps []step) []uint32 {
	words := make([]uint32, len(steps)*uniformSlot/4)
	for i, s := range steps {
		copy(words[i*uniformSlot/4:], s.Params)
	}
	return words
}
