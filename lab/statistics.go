package lab

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// Mean is a mean with its 95 % interval, and of how many pairs of pictures.
type Mean struct {
	Series string  `json:"series"`
	X      float64 `json:"x"`
	Mean   float64 `json:"mean"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	N      int     `json:"n"`
	// Price is the mean of the second measure, where there is one, with its interval.
	Price     float64 `json:"price,omitempty"`
	PriceLow  float64 `json:"priceLow,omitempty"`
	PriceHigh float64 `json:"priceHigh,omitempty"`
}

// Unsure reports whether the interval has 0 in it: no difference is seen.
func (m Mean) Unsure() bool { return m.Low <= 0 && m.High >= 0 }

// resamples is how many samples of the bootstrap are drawn. The ends of a 95 % interval
// are then the 50th smallest and largest.
const resamples = 2000

// Means are the means of rows by series, in the order in which they come first, and X.
func Means(rows []Row) []Mean {
	type key struct {
		series string
		x      float64
	}
	order := map[string]int{}
	values, prices := map[key][]float64{}, map[key][]float64{}
	for _, r := range rows {
		if _, ok := order[r.Series]; !ok {
			order[r.Series] = len(order)
		}
		k := key{r.Series, r.X}
		values[k], prices[k] = append(values[k], r.Value), append(prices[k], r.Price)
	}
	list := make([]Mean, 0, len(values))
	for k, v := range values {
		m := Mean{Series: k.series, X: k.x, N: len(v)}
		m.Mean, m.Low, m.High = estimate(v)
		m.Price, m.PriceLow, m.PriceHigh = estimate(prices[k])
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Mean) int {
		return cmp.Or(cmp.Compare(order[a.Series], order[b.Series]), cmp.Compare(a.X, b.X))
	})
	return list
}

// estimate is the mean of values and its interval, in whatever order they are.
func estimate(v []float64) (middle, low, high float64) {
	slices.Sort(v)
	low, high = bootstrap(v)
	return mean(v), low, high
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// bootstrap is the 95 % percentile interval of the mean, the same for the same values.
func bootstrap(v []float64) (low, high float64) {
	r := rand.New(rand.NewPCG(1, uint64(len(v))))
	means := make([]float64, resamples)
	for i := range means {
		for range v {
			means[i] += v[r.IntN(len(v))]
		}
		means[i] /= float64(len(v))
	}
	slices.Sort(means)
	return means[resamples/40], means[resamples-resamples/40-1]
}
