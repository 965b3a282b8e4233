package words

// pictureWords are the texts about finished pictures.
type pictureWords struct {
	incomparable
	// Tabs.
	TabSweep, TabSteps, TabGallery string

	// What can be done with a picture.
	CopyImage, CopyLink, Share, Keep, Kept                    string
	Copied, CopiedLink, CopiedLinkEdit, CopyRefused, KeptNote string
	Undo, Redo, SessionPictures, SessionPicture               string
	Embed, EmbedTitle, EmbedHint, EmbedCode                   string
	EmbedPage, EmbedReadme, EmbedCopy                         string
	EmbedPoster, EmbedWhere                                   string
	Several, Variant, FromFile, Restored                      string

	// Edits.
	Edit, EditAsk, EditHint, EditMake, EditNone, EditLabel, EditChoose, EditFind, EditEnd, EditStrength      string
	Reference, ReferenceBad, ReferenceAdvice, ReferenceMissing, ReferenceFound, ReferenceOther, ReferenceCut string

	// Compare.
	CompareAs, AsSlider, AsPair, Divider, DividerAt, CompareNone, CompareAgain string
	CompareHold, CompareHeld, CompareSave, CompareAcross, CompareDown          string
	GuidedMany                                                                 string

	// Sweep.
	SweepHint, SweepOver, OverWeight, OverStart, OverStrength        string
	SweepFrom, SweepTo, SweepCount, SweepStrength, SweepHintStrength string
	SweepGo, SweepCell, SweepStart, SweepUse, SweepNone, SweepWaits  string
	Film, FilmGo, FilmGoTime, FilmStop, FilmOn, FilmDone, FilmSave   string

	// Steps.
	StepsNone, StepsShow, StepsAfter, StepsFinal, StepsScrub, StepsAbout string

	// Gallery.
	GalleryEmpty, GallerySum, GalleryOpen, GalleryClear, GalleryClearSure string
	GalleryRestore, GalleryDelete, GalleryDeleted, GalleryRefused         string
	GalleryFull, GalleryFullGo, GalleryFullNo, GalleryOf, GalleryYes      string

	// Links and files from elsewhere.
	NoticeUnknown, NoticeTooLong, FromLink, FromLinkEdit, NoticeClamped, NoticeLeft, FieldPrompt, FieldDirection, FieldRows, FieldAblate, FieldLink string
	OtherModel, Waits, DropHere, DropEdit, DropNothing, DropAdvice                                                                                  string
	FileTooLarge, FileFolder, FileUnreadable, FileEarly, FileOneOf                                                                                  string
	PictureLarge, PictureDamaged                                                                                                                    string

	// Diagnostics.
	Diagnostics, DiagnosticsHint, DiagnosticsPrompt, DiagnosticsCopy string
}
