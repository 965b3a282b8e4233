package page

import "time"

// cpuSpeed measures for a twentieth of a second how many floating-point
// operations a second the CPU device's inner loop does here: dot products of
// float32 vectors, accumulated in float64.
func cpuSpeed() float64 {
	const n = 1024
	a, b := make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i] = float32(i%7), float32(i%5)
	}
	var sum float64
	rounds := 0
	begin := time.Now()
	for time.Since(begin) < 50*time.Millisecond {
		for range 16 {
			var s0, s1, s2, s3 float64
			for i := 0; i+3 < n; i += 4 {
				s0 += float64(a[i]) * float64(b[i])
				s1 += float64(a[i+1]) * float64(b[i+1])
				s2 += float64(a[i+2]) * float64(b[i+2])
				s3 += float64(a[i+3]) * float64(b[i+3])
			}
			sum += s0 + s1 + s2 + s3
			rounds++
		}
		a[rounds/16%n] += float32(sum * 1e-30) // so that no round can be left out
	}
	return 2 * n * float64(rounds) / time.Since(begin).Seconds()
}
