package page

// network is what the page knows of the world outside (web/offline.js).
type network struct {
	offline     bool   // there is no network
	kept        bool   // the page starts without a network
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

// busy reports whether a reload would interrupt something.
func (s *state) busy() bool { return s.phase == loading || s.phase == generating }

// due reports whether the new version is to be taken now: somebody wants it, and
// nothing is running.
func (s *state) due() bool { return s.network.wanted && s.network.update != "" && !s.busy() }
