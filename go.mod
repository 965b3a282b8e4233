module undertone

go 1.24.0

require (
	github.com/andybalholm/brotli v1.1.1
	github.com/chromedp/chromedp v0.14.2
	github.com/cogentcore/webgpu v0.23.0
	github.com/gobwas/ws v1.4.0
	github.com/rivo/uniseg v0.4.7
	github.com/sugarme/tokenizer v0.3.0
	github.com/yuin/goldmark v1.7.13 // Markdown of docs/: CommonMark-compliant, no dependencies (MIT)
	golang.org/x/text v0.30.0
	gopkg.in/yaml.v3 v3.0.1 // needed by sugarme/tokenizer, which does not declare it
	honnef.co/go/js/dom/v2 v2.0.0-20250304181735-b5e52f05e89d
)

require (
	github.com/chromedp/cdproto v0.0.0-20250724212937-08a3db8b4327 // indirect
	github.com/chromedp/sysutil v1.1.0 // indirect
	github.com/emirpasic/gods v1.18.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20250725192818-e39067aee2d2 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/pool v0.2.1 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/patrickmn/go-cache v2.1.0+incompatible // indirect
	github.com/schollz/progressbar/v2 v2.15.0 // indirect
	github.com/sugarme/regexpset v0.0.0-20200920021344-4d4ec8eaf93c // indirect
	golang.org/x/sys v0.34.0 // indirect
)
