package page

import "strings"

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
func help(userAgent string, why reason) string {
	if why == insecure {
		return say.HelpInsecure
	}
	b, linux, mobile := guess(userAgent)
	switch {
	case b == chromium && why == noAdapter && !mobile:
		return say.HelpChromiumAdapter
	case b == chromium && linux:
		return say.HelpChromiumLinux
	case b == chromium && mobile:
		return say.HelpAndroid
	case b == chromium:
		return say.HelpChromium
	case b == firefox && mobile:
		return say.HelpAndroid
	case b == firefox:
		return say.HelpFirefox
	case b == safari:
		return say.HelpSafari
	}
	return say.HelpOther
}
