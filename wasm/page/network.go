package page

import "fmt"

// network is what the page knows of the world outside (web/offline.js).
type network struct {
	offline     bool   // there is no network
	kept        bool   // the page starts without a network
	changed     bool   // its host changes it on its way
	refused     string // the file for which it does not, or for which a new version was not taken
	why         string // "missing", "changed", "unstored" or "worker"
	installable bool   // the browser offers to install it
	update      string // "", "waiting" for somebody to choose it, or "chosen" in another tab
	postponed   bool   // the person said: later
	wanted      bool   // the person said: now
}

// news is what there is to say about a new version, or "".
func (n *network) news() string {
	switch {
	case n.update == "" || n.postponed:
		return ""
	case n.update == "chosen":
		return say.UpdateOld
	}
	return say.UpdateReady
}

// keeping says whether the page starts without a network, and why not; it is "" as
// long as nobody knows.
func (n *network) keeping() string {
	switch {
	case n.refused != "" && n.kept:
		return fmt.Sprintf(say.UpdateRefused, n.reason())
	case n.refused != "":
		return fmt.Sprintf(say.OfflineRefused, n.reason())
	case n.kept && n.changed:
		return say.OfflineChanged
	case n.kept:
		return say.OfflineReady
	}
	return ""
}

// reason says what is wrong with the refused file.
func (n *network) reason() string {
	form := say.FileMissing
	switch n.why {
	case "changed":
		form = say.FileChanged
	case "unstored":
		form = say.FileUnstored
	case "worker":
		form = say.FileWorker
	}
	return fmt.Sprintf(form, n.refused)
}

// busy reports whether a reload would interrupt something.
func (s *state) busy() bool { return s.phase == loading || s.phase == generating }

// due reports whether the new version is to be taken now: somebody wants it, and
// nothing is running.
func (s *state) due() bool { return s.network.wanted && s.network.update != "" && !s.busy() }
