package web

import (
	"fmt"
	"strings"
	"testing"
)

// TestBrowserProbe looks on through the API, on WebGPU and on the CPU.
func TestBrowserProbe(t *testing.T) {
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{})
	b.eval(`globalThis.api = await import("/undertone.js")`, nil)
	maps := map[string][]float64{}
	for _, device := range []string{"webgpu", "cpu"} {
		var got struct {
			Plain, Probed, One made
			Tokens             []struct{ Text, Kind string }
			Padding            int
			Times, NormY       []float64
			Blocks             []struct {
				Kind      string
				NormShift float64
			}
			Modulation           []struct{ Block int }
			Attention, Alone     []float64
			Words                []int
			Rows, Cols, Drawn    int
			Latents              [][2]int
			Timings              struct{ ProbeMs float64 }
			Keys                 []string
			Wrong                []fault
			Known, Parameterless bool
		}
		b.eval(`
			const u = await api.Undertone.load("models/sprites/model.json", { device: "`+device+`" });
			const request = { prompt: "the red frog at night", seed: 3, steps: 3, guidance: [{ positive: "sharp", negative: "plain", weight: 2, schedule: { kind: "step", start: 3 } }] };
			const plain = await u.generate(request);
			const r = await u.generate({ ...request, probe: {} });
			const one = await u.generate({ ...request, probe: { word: 3 } });
			const p = r.probe, wrong = [];
			for (const probe of [null, "all", { word: 1.5 }, { word: "frog" }, { word: -1 }, { word: 7 }, { word: NaN }]) wrong.push(await test.refused(u.generate({ ...request, probe })));
			u.close();
			return { ...p, attention: Array.from(p.attention), latents: p.latents.map((i) => [i.width, i.height]),
				drawn: new Set(await Promise.all(p.latents.map((i) => test.digest(i.data)))).size,
				plain: await test.picture(plain), probed: await test.picture(r), one: await test.picture(one),
				alone: Array.from(one.probe.attention), timings: r.timings, wrong, known: plain.probe !== undefined, parameterless: !("probe" in r.parameters) }`, &got)
		if got.Plain.Hash != got.Probed.Hash || got.Plain.Hash != got.One.Hash {
			t.Errorf("%s: looking on changed the picture", device)
		}
		if got.Known || !got.Parameterless || got.Timings.ProbeMs <= 0 {
			t.Errorf("%s: a probe where nobody asked (%t), or in the parameters, or for %g ms", device, got.Known, got.Timings.ProbeMs)
		}
		if text := fmt.Sprint(got.Tokens); text != "[{ start} {the word} {red word} {frog word} {at word} {night word} { end}]" || got.Padding != 2 {
			t.Errorf("%s: tokens %s and %d of padding", device, text, got.Padding)
		}
		if len(got.Times) != 4 || len(got.NormY) != 3 || len(got.Blocks) != 6 || len(got.Modulation) != 12 || got.Blocks[5].Kind != "head" {
			t.Errorf("%s: %+v", device, got)
		}
		for l, v := range got.Blocks {
			if (v.NormShift != 0) != (l >= 3 && l < 5) {
				t.Errorf("%s: guidance from block 3 on shifts block %d by %g", device, l, v.NormShift)
			}
		}
		const cells, blocks, words = 4, 5, 7
		if len(got.Attention) != 3*blocks*words*cells || got.Rows != 2 || got.Cols != 2 || len(got.Words) != words {
			t.Fatalf("%s: %d numbers for %v", device, len(got.Attention), got.Words)
		}
		for i := range 3 * blocks {
			for c := range cells {
				sum := 0.0
				for w := range words {
					a := got.Attention[(i*words+w)*cells+c]
					if a < 0 || a > 1 {
						t.Fatalf("%s: attention %g", device, a)
					}
					sum += a
				}
				if sum <= 0 || sum > 1 {
					t.Errorf("%s: a cell gives %g of 1 to the words", device, sum)
				}
				if got.Alone[i*cells+c] != got.Attention[(i*words+3)*cells+c] {
					t.Errorf("%s: token 3 alone has another map", device)
				}
			}
		}
		if len(got.Latents) != 4 || got.Latents[0] != [2]int{4, 4} || got.Drawn != 4 {
			t.Errorf("%s: latents %v, %d different ones", device, got.Latents, got.Drawn)
		}
		for i, f := range got.Wrong {
			if f.Code != "request-invalid" || f.Advice == "" {
				t.Errorf("%s: wrong probe %d: %+v", device, i, f)
			}
		}
		if last := got.Wrong[5]; !strings.Contains(last.Message, "7") || !strings.Contains(last.Message, "0 to 6") {
			t.Errorf("%s: it says %q", device, last.Message)
		}
		maps[device] = got.Attention
	}
	for i, a := range maps["webgpu"] {
		if c := maps["cpu"][i]; a-c > 1e-3 || c-a > 1e-3 {
			t.Fatalf("attention %d is %g on WebGPU, %g on the CPU", i, a, c)
		}
	}
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}
