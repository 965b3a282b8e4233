package site

import (
	"path"
	"regexp"
	"strings"
)

// types are the media types of everything a site holds. They are written down
// here because Go's own table reads the machine's files, which differ.
var types = map[string]string{
	".html":        "text/html; charset=utf-8",
	".js":          "text/javascript; charset=utf-8",
	".css":         "text/css; charset=utf-8",
	".json":        "application/json",
	".webmanifest": "application/manifest+json",
	".wasm":        "application/wasm",
	".svg":         "image/svg+xml",
	".png":         "image/png",
	".jpg":         "image/jpeg",
	".webp":        "image/webp",
	".ico":         "image/x-icon",
	".woff2":       "font/woff2",
	".txt":         "text/plain; charset=utf-8",
	".md":          "text/markdown; charset=utf-8",
	".gguf":        "application/octet-stream",
	".safetensors": "application/octet-stream",
}

// hashed matches the content-hashed names that Build gives: NAME.0123456789ab.EXT.
var hashed = regexp.MustCompile(`\.[0-9a-f]{12}\.[a-z0-9]+$`)

const (
	forever = "public, max-age=31536000, immutable"
	// The workers run under the policies of their own answers, not the page's.
	enginePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' https:"
	swPolicy     = "default-src 'none'; connect-src 'self'"
	// Isolated pages (COEP) take only frames that are isolated themselves, and those only
	// such workers. Nothing here comes from elsewhere, so nothing is lost by it.
	embedderPolicy = "require-corp"
)

// framed reports whether a file is what others have in a frame, or may be the worker that
// it starts.
func framed(name string) bool {
	return name == embedded || strings.HasPrefix(name, "assets/") && path.Ext(name) == ".js"
}

// headers are what a file's answer carries, whatever the request.
func headers(name string) map[string]string {
	media, known := types[path.Ext(name)]
	if !known {
		media = "application/octet-stream"
	}
	h := map[string]string{
		"Content-Type":           media,
		"X-Content-Type-Options": "nosniff",
		// Isolated pages (COEP) may embed the site and its files.
		"Cross-Origin-Resource-Policy": "cross-origin",
		// Scripts of the kind module come from elsewhere only where that is allowed.
		"Access-Control-Allow-Origin": "*",
		"Cache-Control":               "no-cache",
	}
	if hashed.MatchString(name) {
		h["Cache-Control"] = forever
	}
	if framed(name) {
		h["Cross-Origin-Embedder-Policy"] = embedderPolicy
	}
	switch {
	case name == worker:
		h["Content-Security-Policy"] = swPolicy
	case strings.HasPrefix(name, "assets/") && path.Ext(name) == ".js":
		h["Content-Security-Policy"] = enginePolicy
	}
	return h
}

// hostFiles are for hosts that read their settings from the site: _headers for
// Netlify and Cloudflare Pages (which join what several rules say about one
// header, so no two do, and call embed.html embed), .nojekyll for GitHub Pages.
var hostFiles = map[string]string{
	"_headers": `/*
  X-Content-Type-Options: nosniff
  Cross-Origin-Resource-Policy: cross-origin
  Access-Control-Allow-Origin: *
/assets/*
  Cache-Control: ` + forever + `
  Content-Security-Policy: ` + enginePolicy + `
  Cross-Origin-Embedder-Policy: ` + embedderPolicy + `
/embed.html
  Cache-Control: no-cache
  Cross-Origin-Embedder-Policy: ` + embedderPolicy + `
/embed
  Cache-Control: no-cache
  Cross-Origin-Embedder-Policy: ` + embedderPolicy + `
/sw.js
  Cache-Control: no-cache
  Content-Security-Policy: ` + swPolicy + `
`,
	".nojekyll": "",
}
