package manual

import "html/template"

// layout is a page of the manual. It runs no script but that of embedded pictures, and
// reads well without its style.
var layout = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}} · Undertone</title>
{{with .Summary}}<meta name="description" content="{{.}}">
{{end}}<link rel="icon" type="image/svg+xml" href="./icon.svg">
<link rel="stylesheet" href="./docs.css">
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="name" href="../index.html"><img src="./icon.svg" width="28" height="28" alt=""> Undertone</a>
<nav aria-label="Site"><a href="index.html">Documentation</a> <a href="../index.html">Open the app</a></nav>
</header>
<div class="columns">
<nav aria-label="Documentation">
<ul>
{{- range .All}}
<li><a href="{{.Name}}.html"{{if eq .Name $.Here}} aria-current="page"{{end}}>{{.Title}}</a></li>
{{- end}}
</ul>
</nav>
<main id="content">
{{if .Body}}{{.Body}}{{else}}<h1>{{.Title}}</h1>
<dl>
{{- range .All}}
<dt><a href="{{.Name}}.html">{{.Title}}</a></dt>
<dd>{{.Summary}}</dd>
{{- end}}
</dl>
{{end}}</main>
</div>
</body>
</html>
`))
