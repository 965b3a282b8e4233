package words

// offlineWords are the texts about the page as an app: without a network, installed,
// and when there is a new version.
type offlineWords struct {
	incomparable
	Offline, OfflineHint, OfflineReady, OfflineLoad string
	UpdateReady, UpdateNow, UpdateSoon, UpdateOld   string
	OfflineChanged, OfflineRefused, UpdateRefused   string
	FileMissing, FileChanged                        string // %s is the file's name
	FileUnstored, FileWorker                        string
	Later, Reload, Install, InstallHint             string
}
