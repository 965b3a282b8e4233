package page

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// effects reports whether a call is one that rendering must not make: of the app, whose
// methods change the state, ask for pictures or load.
func effects(call *ast.SelectorExpr) bool {
	if x, ok := call.X.(*ast.SelectorExpr); ok {
		return x.Sel.Name == "app"
	}
	x, ok := call.X.(*ast.Ident)
	return ok && x.Name == "a"
}

// caused lists the effects that functions of the name reach within their package,
// without those of closures: they are called later, by what people do.
func caused(functions map[string][]*ast.FuncDecl, name string, method bool, seen map[string]bool) (list []string) {
	if seen[name] {
		return nil
	}
	seen[name] = true
	for _, f := range functions[name] {
		if (f.Recv != nil) != method {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.GoStmt:
				list = append(list, name+" begins a goroutine")
			case *ast.AssignStmt:
				if takesState(f) && slices.ContainsFunc(n.Lhs, ofState) {
					list = append(list, name+" changes the state")
				}
			case *ast.CallExpr:
				switch to := n.Fun.(type) {
				case *ast.Ident:
					list = append(list, caused(functions, to.Name, false, seen)...)
				case *ast.SelectorExpr:
					if effects(to) {
						list = append(list, name+" calls the app's "+to.Sel.Name)
					}
					list = append(list, caused(functions, to.Sel.Name, true, seen)...)
				}
			}
			return true
		})
	}
	return list
}

// takesState reports whether a function has the state as its parameter s.
func takesState(f *ast.FuncDecl) bool {
	for _, p := range f.Type.Params.List {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok || len(p.Names) != 1 || p.Names[0].Name != "s" {
			continue
		}
		if of, ok := star.X.(*ast.SelectorExpr); ok && of.Sel.Name == "State" {
			return true
		}
	}
	return false
}

// ofState reports whether the left side of an assignment lies in s.
func ofState(to ast.Expr) bool {
	for {
		switch x := to.(type) {
		case *ast.SelectorExpr:
			to = x.X
			if i, ok := to.(*ast.Ident); ok {
				return i.Name == "s"
			}
		case *ast.IndexExpr:
			to = x.X
		default:
			return false
		}
	}
}

// functionsOf are the functions of Go sources, by name.
func functionsOf(t *testing.T, sources map[string]any) map[string][]*ast.FuncDecl {
	t.Helper()
	functions := map[string][]*ast.FuncDecl{}
	for name, text := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				functions[f.Name.Name] = append(functions[f.Name.Name], f)
			}
		}
	}
	return functions
}

// TestRenderingHasNoEffects holds every view's Render to changing elements only.
func TestRenderingHasNoEffects(t *testing.T) {
	folders, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	views := 0
	for _, folder := range folders {
		if folder == "app" { // whose Render draws the views, after the reactions
			continue
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		sources := map[string]any{}
		for _, f := range files {
			if !strings.HasSuffix(f, "_test.go") {
				sources[f] = nil
			}
		}
		functions := functionsOf(t, sources)
		views += len(functions["Render"])
		for _, effect := range caused(functions, "Render", true, map[string]bool{}) {
			t.Errorf("%s: within Render, %s", folder, effect)
		}
	}
	if views < 10 {
		t.Errorf("only %d views were found", views)
	}
	for text, want := range map[string]int{
		`func (v *V) Render(s *app.State) { ui.SetText(v.e, s.Note) }`:                                       0,
		`func (v *V) Render(s *app.State) { v.b = ui.Button("", func() { v.app.Update(nil) }) }`:             0,
		`func (v *V) Render(s *app.State) { v.app.Update(nil) }`:                                             1,
		`func (v *V) Render(s *app.State) { s.Note = "" }`:                                                   1,
		`func (v *V) Render(s *app.State) { s.Pictures[0].Saved = 1 }`:                                       1,
		`func (v *V) Render(s *app.State) { x(); v.set() }; func (v *V) x() { v.app.Stop() }`:                0,
		`func (v *V) Render(s *app.State) { go v.read() }`:                                                   1,
		`func (v *V) Render(s *app.State) { v.draw(s) }; func (v *V) draw(s *app.State) { v.app.Enqueue() }`: 1,
	} {
		functions := functionsOf(t, map[string]any{"v.go": "package v\n" + strings.ReplaceAll(text, "; func", "\nfunc")})
		if got := caused(functions, "Render", true, map[string]bool{}); len(got) != want {
			t.Errorf("%s: found %q", text, got)
		}
	}
}
