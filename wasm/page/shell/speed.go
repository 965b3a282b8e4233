package shell

import (
	"time"
)

// A picture's speed as a multiple of the measured one, which is that of a lone dot product.
// The engine's tiles use each number they load several times: on two idle cores in Chromium
// a picture took 2.0 s where a share of 0.4 had announced 6.8 s, which makes 1.35; a little
// less keeps the promise. With SIMD, pictures take a tenth of the time.
const (
	shareOfGo   = 1.2
	shareOfSIMD = 12
)

// cpuSpeed measures how many floating-point operations a second the CPU device's inner
// loop in Go does here: dot products of float32 vectors, accumulated in float64.
// Browsers compile a function well only after it was called often, and other
// programs come in between, so the best of several short stretches counts. The
// page stays responsive meanwhile.
func cpuSpeed() float64 {
	const n = 1024
	a, b := make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i] = float32(i%7), float32(i%5)
	}
	best := 0.0
	for range 12 {
		rounds, begin := 0, time.Now()
		for time.Since(begin) < 20*time.Millisecond {
			for range 16 {
				a[rounds%n] = float32(dot(a, b) * 1e-30)
				rounds++
			}
		}
		best = max(best, 2*n*float64(rounds)/time.Since(begin).Seconds())
		time.Sleep(5 * time.Millisecond)
	}
	return best
}

//go:noinline
func dot(a, b []float32) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for i := 0; i+3 < len(a); i += 4 {
		s0 += float64(a[i]) * float64(b[i])
		s1 += float64(a[i+1]) * float64(b[i+1])
		s2 += float64(a[i+2]) * float64(b[i+2])
		s3 += float64(a[i+3]) * float64(b[i+3])
	}
	return s0 + s1 + s2 + s3
}
