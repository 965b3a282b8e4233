package browser

import (
	"context"
	"os"

	"github.com/chromedp/chromedp"
)

// Open prepares a Chromium, Chrome or Edge; it starts with the first chromedp.Run. end
// ends it.
func Open(ctx context.Context, program string, window bool) (tab context.Context, end func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.Flag("headless", map[bool]any{true: false, false: "new"}[window]),
		chromedp.Flag("no-sandbox", os.Geteuid() == 0),
		chromedp.Flag("enable-unsafe-webgpu", true),
	)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	tab, cancel := chromedp.NewContext(ctx)
	return tab, func() { cancel(); stop() }
}
