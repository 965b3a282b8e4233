package gpu

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"syscall/js"
	"testing"
	"time"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// spent is a clock: of a software adapter, whose time is what other work on the machine
// leaves it, what the process has had of the processors.
func spent(be *Device) time.Duration {
	if !be.Info().Software {
		return time.Since(started)
	}
	u := js.Global().Get("process").Call("cpuUsage")
	return time.Duration(u.Get("user").Int()+u.Get("system").Int()) * time.Microsecond
}

var started = time.Now()

// BenchmarkExperts tells what a mixture of four experts, two of which are active, takes
// beside two dense MLPs of the same width, which compute as much. Both run in turn, and of
// the ratios of the pairs the median counts, with the quarters beside it.
func BenchmarkExperts(b *testing.B) {
	const experts, active, pairs = 4, 2, 15
	for _, shape := range [][3]int{{64, 256, 512}, {256, 256, 512}, {1024, 256, 512}, {256, 640, 1728}} {
		tokens, d, f := shape[0], shape[1], shape[2]
		b.Run(fmt.Sprintf("%dx%dx%d", tokens, d, f), func(b *testing.B) {
			ctx := context.Background()
			be, err := Open(ctx, Options{})
			must := func(err error) {
				if err != nil {
					b.Fatal(err)
				}
			}
			must(err)
			defer be.Close()
			tensor := func(rows, cols int) *op.Tensor {
				x, err := be.New("x", op.F32, rows, cols)
				must(err)
				data := make([]float32, rows*cols)
				for i := range data {
					data[i] = float32((i*2654435761)%1000)/1000 - 0.5
				}
				must(be.Write(x, data))
				return x
			}
			weight := func(rows, cols int) *op.Tensor {
				values := make([]float32, rows*cols)
				for i := range values {
					values[i] = float32((i*40503)%997)/9970 - 0.05
				}
				raw := make([]byte, 4*len(values))
				quant.Quantize(op.F32, raw, values)
				w, err := be.Upload(ctx, op.WeightSpec{Name: "w", DType: op.F32, Rows: rows, Cols: cols, Use: op.UseMatrix, Data: bytes.NewReader(raw)})
				must(err)
				return w
			}
			type mlp struct{ gate, up, down *op.Tensor }
			var all []mlp
			for range experts {
				all = append(all, mlp{weight(f, d), weight(f, d), weight(d, f)})
			}
			router, in, out := weight(experts, d), tensor(tokens, d), tensor(tokens, d)
			through := func(l *op.List, m mlp, x *op.Tensor, c op.Counted) *op.Tensor {
				gate, up := l.MatMul(x, m.gate, op.Epilogue{Counted: c}), l.MatMul(x, m.up, op.Epilogue{Counted: c})
				return l.MatMul(l.Gated(gate, up, op.SiLU, c, gate), m.down, op.Epilogue{Counted: c})
			}
			mixed, dense := op.NewList("experts"), op.NewList("dense")
			lists := mixed.Route(mixed.MatMul(in, router, op.Epilogue{}), active, nil)
			for e, m := range all {
				list := lists.Slice(2*e, 2*e+1)
				c := op.Counted{List: list, Share: float64(active) / experts}
				y := through(mixed, m, mixed.Gather(in, c, nil), c)
				mixed.ScatterAdd(y, c, lists.Slice(2*e+1, 2*e+2), nil, out)
			}
			for _, m := range all[:active] {
				dense.Add(out, through(dense, m, in, op.Counted{}), out)
			}
			var programs [2]op.Program
			for i, l := range []*op.List{mixed, dense} {
				programs[i], err = be.Compile(ctx, l)
				must(err)
			}
			var ratios, times []float64
			for pair := range pairs + 1 {
				var took [2]float64
				for turn := range 2 {
					i := (pair + turn) % 2 // neither is always the first
					begin := spent(be)
					must(programs[i].Run(ctx))
					must(be.Sync(ctx))
					took[i] = (spent(be) - begin).Seconds()
				}
				if pair > 0 { // what runs first finds nothing prepared
					ratios, times = append(ratios, took[0]/took[1]), append(times, took[0]*1000)
				}
			}
			reportPairs(b, ratios, times)
		})
	}
}

// reportPairs tells the median of ratios, with the quarters beside it, and of milliseconds.
func reportPairs(b *testing.B, ratios, ms []float64) {
	slices.Sort(ratios)
	slices.Sort(ms)
	b.ReportMetric(ratios[len(ratios)/4], "quarter")
	b.ReportMetric(ratios[len(ratios)/2], "of-dense")
	b.ReportMetric(ratios[len(ratios)-1-len(ratios)/4], "three-quarters")
	b.ReportMetric(ms[len(ms)/2], "ms")
}
