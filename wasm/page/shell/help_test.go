package shell

import (
	"testing"

	"undertone/wasm/page/app"
	_ "undertone/wasm/page/apptest" // the language
	"undertone/wasm/page/words"
)

func TestCPUSpeed(t *testing.T) {
	if s := cpuSpeed(); s < 1e6 || s > 1e12 {
		t.Errorf("%.3g operations per second", s)
	}
}

func TestHelp(t *testing.T) {
	const (
		chromeLinux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
		edge        = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0"
		android     = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36"
		fire        = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
		mac         = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
		iphone      = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156.0 Mobile/15E148 Safari/604.1"
	)
	for _, c := range []struct {
		agent string
		why   app.Reason
		want  string
	}{
		{chromeLinux, app.NoWebGPU, words.Text.HelpChromiumLinux},
		{chromeLinux, app.NoAdapter, words.Text.HelpChromiumAdapter},
		{edge, app.NoWebGPU, words.Text.HelpChromium},
		{android, app.NoAdapter, words.Text.HelpAndroid},
		{fire, app.NoWebGPU, words.Text.HelpFirefox},
		{mac, app.NoWebGPU, words.Text.HelpSafari},
		{iphone, app.NoWebGPU, words.Text.HelpSafari},
		{"curl/8", app.NoWebGPU, words.Text.HelpOther},
		{edge, app.Insecure, words.Text.HelpInsecure},
	} {
		if got := help(c.agent, c.why); got != c.want || got == "" {
			t.Errorf("%s: %q", c.agent, got)
		}
	}
}
