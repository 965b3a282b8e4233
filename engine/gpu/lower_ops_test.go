package gpu

import (
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

func TestFoldCovers(t *testing.T) {
	for _, c := range []struct{ n, per int }{{1, 64}, {64, 64}, {65, 64}, {maxGroups * 64, 64}, {maxGroups*64 + 1, 64}, {1 << 31, 64}, {1 << 30, 1}} {
		g := fold(c.n, c.per)
		if g[0] > maxGroups || g[1] > maxGroups || g[2] != 1 {
			t.Errorf("%d units by %d: %v workgroups", c.n, c.per, g)
		}
		if got := g[0] * g[1] * c.per; got < c.n || got > c.n+c.per*(g[1]+1) {
			t.Errorf("%d units by %d: %v workgroups reach %d", c.n, c.per, g, got)
		}
	}
}

// Every tile covers the picture, fits the smallest device and has its 64 threads,
// and tiles shrink only where the picture gives a GPU too little to do.
func TestConvTiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	shapes := [][4]int{{16, 16, 4, 32}, {16, 16, 32, 32}, {32, 32, 16, 16}, {64, 64, 8, 8}, {128, 128, 4, 4}, {256, 256, 2, 2}, {256, 256, 2, 1}, {1, 1, 1, 1}, {1024, 1024, 32, 32}}
	for range 500 {
		shapes = append(shapes, [4]int{1 + rng.IntN(300), 1 + rng.IntN(300), 1 + rng.IntN(130), 1 + rng.IntN(130)})
	}
	for _, s := range shapes {
		h, w, cin4, cout4 := s[0], s[1], s[2], s[3]
		c := convTileFor(h, w, cin4, cout4)
		g := c.grid(h, w, cout4)
		if c.runs*c.rows*c.groups != threads || c.shared() > floorShared || c.n > 2 || c.ck > max(1, cin4) {
			t.Errorf("%v: tile %+v with %d bytes", s, c, c.shared())
		}
		if g[0]*c.p*c.runs < w || g[1]*c.rows < h || g[2]*c.groups*c.n < cout4 {
			t.Errorf("%v: tile %+v in %v workgroups leaves something out", s, c, g)
		}
		if (g[0]-1)*c.p*c.runs >= w || (g[1]-1)*c.rows >= h || (g[2]-1)*c.groups*c.n >= cout4 {
			t.Errorf("%v: tile %+v in %v workgroups has idle ones", s, c, g)
		}
		if c.p == 4 && g[0]*g[1]*g[2] >= 4*fewGroups {
			t.Errorf("%v: the smallest tile in %v workgroups", s, g)
		}
	}
	if c := convTileFor(256, 256, 2, 2); c.p != 8 || c.n != 2 {
		t.Errorf("a large picture gets the tile %+v", c)
	}
}

func TestAttentionVariants(t *testing.T) {
	for _, c := range []struct {
		rows, heads, size int
		groups            [3]int
		ty, chunk, chunks int
	}{
		{96, 4, 64, [3]int{6, 4, 1}, 4, 8, 2},
		{4096, 24, 128, [3]int{128, 24, 1}, 8, 8, 4},
		{1, 1, 4, [3]int{1, 1, 1}, 4, 1, 1},
		{2048, 16, 72, [3]int{64, 16, 1}, 8, 6, 3},
	} {
		d := c.heads * c.size
		l := op.NewList("attention")
		l.Attention(op.NewStorage("y", op.Fixed, op.F32, c.rows, 4*d), c.heads, c.size, true)
		steps, err := lower(l, PortableFloor)
		if err != nil || len(steps) != 1 {
			t.Fatalf("%+v: %d launches, %v", c, len(steps), err)
		}
		var want constants
		want.u32("TY", c.ty)
		want.u32("CHUNKS", c.chunks)
		want.u32("CHUNK", c.chunk)
		if got := steps[0]; got.Groups != c.groups || got.Kernel.Prelude != string(want) {
			t.Errorf("%+v: %v workgroups of\n%s", c, got.Groups, got.Kernel.Prelude)
		}
	}
}

func TestLanes(t *testing.T) {
	for _, c := range []struct{ width, limit, want int }{{1, 128, 1}, {64, 128, 64}, {65, 128, 64}, {768, 128, 128}, {20, 32, 16}} {
		if got := lanesFor(c.width, c.limit); got != c.want {
			t.Errorf("%d vec4s, at most %d threads: %d threads, want %d", c.width, c.limit, got, c.want)
		}
	}
}

// Every operation has a row, and the last of its variants is one for the portable
// floor and every shape; a device that can run more is offered more.
func TestVariants(t *testing.T) {
	software := PortableFloor
	software.CPU = true
	for _, k := range op.Kinds() {
		row, ok := operations[k]
		if !ok {
			t.Errorf("%s has no row", k)
			continue
		}
		floor, cpu := row.offered(PortableFloor), row.offered(software)
		if len(floor) == 0 || len(cpu) == 0 || floor[len(floor)-1] != cpu[len(cpu)-1] {
			t.Errorf("%s: the floor is offered %q, a software adapter %q", k, floor, cpu)
		}
	}
	if cpu := operations[op.Attention].offered(software); len(cpu) != 8 || cpu[0] != "cpu" {
		t.Errorf("attention on a software adapter: %q", cpu)
	}
	if _, err := pick(matMulVariants[:1], product{m: 1, n: 1}, PortableFloor); err == nil {
		t.Error("a variant was picked that the device cannot run")
	}
}
