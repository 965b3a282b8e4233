package shell

import (
	"strings"
	"undertone/wasm/page/app"

	"undertone/wasm/page/words"
)

// browser is what the page takes a visitor's browser for. It is used for advice
// only; whether WebGPU works is always tried, never guessed.
type browser int

const (
	otherBrowser browser = iota
	chromium
	firefox
	safari
)

// guess reads a user agent string.
func guess(userAgent string) (b browser, linux, mobile bool) {
	has := func(s string) bool { return strings.Contains(userAgent, s) }
	linux = has("Linux") && !has("Android")
	mobile = has("Android") || has("iPhone") || has("iPad")
	switch {
	case has("iPhone") || has("iPad"):
		return safari, linux, mobile // every browser there is Safari inside
	case has("Firefox/"):
		return firefox, linux, mobile
	case has("Chrome/") || has("Chromium/"):
		return chromium, linux, mobile
	case has("Safari/"):
		return safari, linux, mobile
	}
	return otherBrowser, linux, mobile
}

// help says what can be done in this browser to get WebGPU.
func help(userAgent string, why app.Reason) string {
	if why == app.Insecure {
		return words.Text.HelpInsecure
	}
	b, linux, mobile := guess(userAgent)
	switch {
	case b == chromium && why == app.NoAdapter && !mobile:
		return words.Text.HelpChromiumAdapter
	case b == chromium && linux:
		return words.Text.HelpChromiumLinux
	case b == chromium && mobile:
		return words.Text.HelpAndroid
	case b == chromium:
		return words.Text.HelpChromium
	case b == firefox && mobile:
		return words.Text.HelpAndroid
	case b == firefox:
		return words.Text.HelpFirefox
	case b == safari:
		return words.Text.HelpSafari
	}
	return words.Text.HelpOther
}
