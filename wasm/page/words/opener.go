package words

// openerWords are the texts about opening published files, and about models of a person's own.
type openerWords struct {
	incomparable
	Open, OpenTitle, OpenHint, OpenFiles, OpenFolder, OpenAddress, OpenAdd                      string
	OpenChosen, OpenMany, OpenRemove, OpenReading, OpenNoAddress, OpenTwice                     string
	OpenFound, OpenEmpty, OpenNoModel, OpenOr, OpenAnd, OpenOfFolder                            string
	PartText, PartTransformer, PartDecoder, PartTokenizer                                       string
	ColPart, ColType, ColDisk, ColDevice, ColPeak, ColLargest, ColSum                           string
	OpenMemory, OpenLeast, OpenLimits, OpenFits, OpenSmaller, OpenTooLarge                      string
	OpenNoMemory, OpenSmallerFile, OpenCPU                                                      string
	OpenMissing, OpenMissingHint, OpenMore, OpenMoreHint, OpenOptional, OpenUsually, OpenUnused string
	LicenceFree, LicenceDev, LicenceStability, LicenceHiDream, LicenceNVIDIA, OpenLicence       string
	OpenKeep, OpenKeepHint, OpenKeepLow, OpenKeepNo                                             string
	PartAdapter, OpenLoad, OpenBusy, OpenIncomplete                                             string
	Model, ModelOwn, ModelOwnKept, EditionOwn, EditionOwnTerms                                  string
	StorageOwn, StorageOwnPart, StorageDeleteOwn                                                string
	CopiedLinkOwn, SavedOwn, AfterReloadOwn, StageDescribe, OpenSave, ModelSaved, StageSave     string
	OpenStopped, OpenStoppedKept, OpenSaveNot                                                   string
}
