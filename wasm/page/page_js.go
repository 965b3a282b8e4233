package page

import (
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/gallery"
	"undertone/wasm/page/how"
	"undertone/wasm/page/importer"
	"undertone/wasm/page/opener"
	"undertone/wasm/page/panel"
	"undertone/wasm/page/session"
	"undertone/wasm/page/share"
	"undertone/wasm/page/shell"
	"undertone/wasm/page/stage"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Run builds the page and never returns. class is the API's Undertone.
func Run(class js.Value) {
	a := app.New(class)
	shell.NewLanguage(a)
	section, controls, footer := ui.ByID("stage"), ui.ByID("panel"), ui.ByID("footer")
	pictures := stage.New(a, section)
	a.Add(pictures)
	updates := shell.NewUpdates(a)
	storage := shell.NewStorage(a, footer)
	tuning := shell.NewTuning(a, footer)
	opens := opener.New(a, storage.Room)
	imports := importer.New(a, opens.Dropped)
	session.New(a)
	kept := gallery.New(a, imports.Open)
	imports.Find = kept.Find

	// The views of the stage, in the order of their tabs.
	embeds := share.New(a)
	picture := stage.NewPicture(a, kept, embeds.Button)
	pictures.Add("picture", &words.Text.TabPicture, picture)
	plain := stage.NewPlain(a)
	pictures.Add("compare", &words.Text.TabCompare, stage.NewCompare(a, plain))
	pictures.Add("sweep", &words.Text.TabSweep, stage.NewSweep(a))
	pictures.Add("steps", &words.Text.TabSteps, stage.NewSteps(a, plain))
	pictures.Add("gallery", &words.Text.TabGallery, kept)
	pictures.Add("how", &words.Text.TabHow, how.New(a))

	saves := opener.NewSave(a)
	models := shell.NewModels(a, "weights-after", true, opens.Button("open-another", "secondary"), saves.Box)
	a.Add(
		shell.NewLoader(a, storage, updates, opens.Button("open-model", "quiet")), shell.NewAlert(a, section),
		panel.NewGuidance(a, section), panel.NewPrompt(a, controls), panel.NewAdvanced(a, controls), panel.NewSettings(a, controls, models.Box), models,
		shell.NewDeviceStatus(), shell.NewEdition(), updates, storage, tuning, opens, saves, embeds,
		panel.NewDirectionMarks(a, "positive", "negative"),
		shell.NewFocus(),
	)
	ui.Append(section, picture.Strip, picture.Bar) // whose height changes
	// Last, so that they hear what the others say.
	shell.NewAnnouncer(a, kept.Question, updates.News)
	shell.NewDiagnostics(a, footer)
	keys(a)

	go a.ReadModels(ui.ByID("app").GetAttribute("data-models"))
	go shell.LookForGPU(a)
	a.Render()
	ui.Root().Get("dataset").Set("state", "running")
	select {}
}

// keys are the shortcuts: Ctrl+Enter (or Cmd+Enter) generates, Esc stops.
func keys(a *app.App) {
	ui.On(ui.Window, "keydown", func(e ui.Event) {
		k, ok := ui.Key(e)
		if !ok || ui.Document.Call("querySelector", "dialog[open]").Truthy() { // whose keys they are
			return
		}
		switch {
		case k.Key() == "Enter" && (k.CtrlKey() || k.MetaKey()):
			e.PreventDefault()
			a.Generate()
		case k.Key() == "Escape":
			if a.Stop() {
				e.PreventDefault()
			}
		}
	})
	ui.KeepFromWheel()
}
