package e2e

import "testing"

func TestZZDrag(t *testing.T) {
	b := open(t, serveFolder(t, "/tmp/h13/site").URL, options{noGPU: true})
	b.loadModel()
	b.call("controls.record", nil)
	b.unfold()
	b.generate()
	for range 3 {
		before := len(b.requests())
		var ms float64
		b.eval(`const s = document.querySelector('[id^="weight-slider"]');
			const begin = performance.now();
			for (let i = 0; performance.now() - begin < 8000; i++) {
				s.value = 1 + Math.sin(i / 10); s.dispatchEvent(new Event("input", { bubbles: true }));
				await new Promise((d) => setTimeout(d, 30));
			}
			return performance.now() - begin`, &ms)
		b.settle()
		n := len(b.requests()) - before
		t.Logf("%d pictures in %.0f ms: %.2f a second; pace %q", n, ms, float64(n)/ms*1000, b.text("#pace"))
	}
}
