package e2e

import (
	"embed"
	"encoding/json"
	"path"
	"strings"
	"sync"
)

//go:embed scripts
var scripts embed.FS

// script is the text of a file of scripts/.
func script(name string) string {
	text, err := scripts.ReadFile(path.Join("scripts", name))
	if err != nil {
		panic(err) // what is named in the tests is embedded in them
	}
	return string(text)
}

// The engine's worker runs these before its own script.
var (
	countSubmits = script("worker/count_submits.js")
	gpuFaults    = countSubmits + script("worker/gpu_faults.js")
)

// pageScripts are there in every document: the object test, and its parts.
var pageScripts = sync.OnceValue(func() string {
	entries, err := scripts.ReadDir("scripts/page")
	if err != nil {
		panic(err)
	}
	all := []string{script("page/test.js")}
	for _, e := range entries {
		if e.Name() != "test.js" {
			all = append(all, script("page/"+e.Name()))
		}
	}
	return strings.Join(all, "\n")
})

// awaited is an expression for the body of an async JavaScript function, whose value is
// what it returns, as JSON.
func awaited(body string) string {
	return "(async () => JSON.stringify((await (async () => {" + body + "})()) ?? null))()"
}

// calling is the body that calls a function of the object test, such as "gpu.state".
func calling(function string, arguments []any) string {
	list := make([]string, len(arguments))
	for i, a := range arguments {
		list[i] = quote(a)
	}
	return "return test." + function + "(" + strings.Join(list, ", ") + ")"
}

// quote is a value as an expression of JavaScript.
func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // the tests pass strings, numbers and lists of them
	}
	return string(text)
}
