package shell

import (
	"fmt"

	"undertone/wasm/page/words"
)

// network is what the page knows of the world outside (web/offline.js).
type network struct {
	offline       bool   // there is no network
	startsOffline bool   // the page starts without a network
	changed       bool   // its host changes it on its way
	refused       string // the file for which it does not, or for which a new version was not taken
	why           string // "missing", "changed", "unstored" or "worker"
	installable   bool   // the browser offers to install it
	update        string // "", "waiting" for somebody to choose it, or "chosen" in another tab
	postponed     bool   // the person said: later
	wanted        bool   // the person said: now
}

// updateText is what there is to say about a new version, or "".
func (n *network) updateText() string {
	switch {
	case n.update == "" || n.postponed:
		return ""
	case n.update == "chosen":
		return words.Text.UpdateOld
	}
	return words.Text.UpdateReady
}

// offlineText says whether the page starts without a network, and why not; it is "" as
// long as nobody knows.
func (n *network) offlineText() string {
	switch {
	case n.refused != "" && n.startsOffline:
		return fmt.Sprintf(words.Text.UpdateRefused, n.refusedText())
	case n.refused != "":
		return fmt.Sprintf(words.Text.OfflineRefused, n.refusedText())
	case n.startsOffline && n.changed:
		return words.Text.OfflineChanged
	case n.startsOffline:
		return words.Text.OfflineReady
	}
	return ""
}

// refusedText says what is wrong with the refused file.
func (n *network) refusedText() string {
	form := words.Text.FileMissing
	switch n.why {
	case "changed":
		form = words.Text.FileChanged
	case "unstored":
		form = words.Text.FileUnstored
	case "worker":
		form = words.Text.FileWorker
	}
	return fmt.Sprintf(form, n.refused)
}

// due reports whether the new version is to be taken now: somebody wants it, and
// nothing is running.
func (n *network) due(busy bool) bool { return n.wanted && n.update != "" && !busy }
