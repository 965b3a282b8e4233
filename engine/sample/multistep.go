package sample

import "math"

// Multistep is a step of a sampler that remembers what the network pointed to before. With
// the data x₀ = x − σ·v that it points to now, those of the step before, x₁, and of the one
// before that, x₂, and l, what the step before left behind:
//
//	c ← Own·x + Last·l + Data[0]·x₀ + Data[1]·x₁ + Data[2]·x₂    what x should have been
//	x ← Next·c + Ahead[0]·x₀ + Ahead[1]·x₁,    l ← c
//
// What is not there yet has the factor 0.
type Multistep struct {
	Own, Last float64
	Data      [3]float64
	Next      float64
	Ahead     [2]float64
}

// Factors are how many numbers a Multistep has.
const Factors = 8

// Factors lists them as a device adds up: Own and Next less 1, because c and x begin as
// copies of x and of c.
func (m Multistep) Factors() [Factors]float64 {
	return [Factors]float64{m.Own - 1, m.Last, m.Data[0], m.Data[1], m.Data[2], m.Next - 1, m.Ahead[0], m.Ahead[1]}
}

// History is what steps hand on. Its zero value begins.
type History struct {
	last, before, earlier []float64 // l, x₁, x₂
}

// Step takes x on, data being what the network points to from there.
func (h *History) Step(m Multistep, x, data []float64) {
	if h.last == nil {
		h.last, h.before, h.earlier = make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	}
	for i := range x {
		c := m.Own*x[i] + m.Last*h.last[i] + m.Data[0]*data[i] + m.Data[1]*h.before[i] + m.Data[2]*h.earlier[i]
		x[i] = m.Next*c + m.Ahead[0]*data[i] + m.Ahead[1]*h.before[i]
		h.last[i], h.earlier[i], h.before[i] = c, h.before[i], data[i]
	}
}

// Remembers says that steps are those of Multisteps.
func (s Schedule) Remembers() bool { return s.Sampler == "ab2" || s.Sampler == "unipc" }

// Multisteps are the steps between times as Sigmas gives them, of a schedule that Remembers.
func (s Schedule) Multisteps(sigmas []float64) (steps []Multistep) {
	of := adamsBashforth
	if s.Sampler == "unipc" {
		of = uniPC
	}
	for k := range len(sigmas) - 1 {
		steps = append(steps, of(sigmas, k))
	}
	return steps
}

// adamsBashforth is step k of the two-step method in −ln of the noise per picture, σ/(1−σ),
// for the data that the network points to (arXiv 2308.02157); the first step is Euler's, and
// the last, to no noise, takes the data as it is. Factors of x̃ = x/(1−σ), in which the
// method is written, become those of x.
func adamsBashforth(sigmas []float64, k int) Multistep {
	at := func(i int) float64 { return sigmas[i] / (1 - sigmas[i]) }
	t, next := sigmas[k], sigmas[k+1]
	m := Multistep{Own: 1, Next: next / t}
	if next == 0 {
		m.Ahead[0] = 1
		return m
	}
	dt := math.Log(at(k) / at(k+1))
	m.Ahead[0] = -math.Expm1(-dt) * (1 - next)
	if k > 0 {
		phi1 := -math.Expm1(-dt) / dt
		phi2 := (phi1 - 1) / -dt
		c2 := math.Log(at(k)/at(k-1)) / dt // below 0: it lies behind
		before := dt * phi2 / c2
		m.Ahead = [2]float64{(dt*phi1 - before) * (1 - next), before * (1 - next)}
	}
	return m
}

// uniPC is step k of UniPC of the second order for the data that the network points to, with
// B(h) = e^−h − 1 (arXiv 2302.04867): what was predicted is corrected by what the network
// says there, and the next is predicted. The first prediction and the last are of the first
// order, as in the library that it was published with.
func uniPC(sigmas []float64, k int) Multistep {
	m := Multistep{Own: 1}
	if k > 0 { // from k−1 to k, of the order of the prediction that led here
		h, fade, grow := between(sigmas, k-1, k)
		order := uniPCOrder(sigmas, k-1)
		own, before := 0.5, 0.0 // the shares of x₀ − x₁ and of (x₂ − x₁)/r
		if order == 2 {
			r := ratio(sigmas, k-1, h)
			first := math.Expm1(-h)
			phi := first/-h - 1
			b1, b2 := phi/first, 2*(phi/-h-0.5)/first
			before = (b2 - b1) / (r - 1)
			if math.IsInf(r, 0) {
				own, before = b1, 0
			} else {
				own, before = b1-before, before/r
			}
		}
		// fade·l − grow·x₁ − grow·(before·(x₂ − x₁) + own·(x₀ − x₁)), grow below 0
		m.Own, m.Last = 0, fade
		m.Data = [3]float64{-grow * own, -grow * (1 - before - own), -grow * before}
	}
	h, fade, grow := between(sigmas, k, k+1)
	m.Next, m.Ahead[0] = fade, -grow
	if uniPCOrder(sigmas, k) == 2 {
		half := 0.5 / ratio(sigmas, k, h) // of x₁ − x₀
		m.Ahead = [2]float64{-grow * (1 - half), -grow * half}
	}
	return m
}

// uniPCOrder is that of the prediction of step k: at most as many as are known, and as there
// are steps left.
func uniPCOrder(sigmas []float64, k int) int { return min(2, k+1, len(sigmas)-1-k) }

// between is the step from time i to j in λ = ln((1−σ)/σ), and what stays of x, σⱼ/σᵢ, and
// (1−σⱼ)·(e^−h − 1), which multiplies data.
func between(sigmas []float64, i, j int) (h, fade, grow float64) {
	h = lambda(sigmas[j]) - lambda(sigmas[i])
	return h, sigmas[j] / sigmas[i], (1 - sigmas[j]) * math.Expm1(-h)
}

// ratio is how far the time before i lies behind it, in steps of h.
func ratio(sigmas []float64, i int, h float64) float64 {
	return (lambda(sigmas[i-1]) - lambda(sigmas[i])) / h
}

func lambda(sigma float64) float64 { return math.Log((1 - sigma) / sigma) }
