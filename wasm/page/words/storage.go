package words

// storageWords are the texts about what this device keeps.
type storageWords struct {
	incomparable
	Storage, StorageHint, StorageUsed, StorageNone, StorageOff   string
	StorageModel, StoragePart, StorageDelete, StorageDeleteModel string
	StorageDeleteAll, StorageFreed                               string
	StoragePromised, StorageUnsure, StorageKeep, StorageDenied   string
	Tuning, TuningHint, TuningOn, TuningNone                     string
	TuningDue, TuningRunning, TuningDone                         string
	AllHere, PartHere, WaitOffline, WaitTab, NotKept, OlderModel string
}
