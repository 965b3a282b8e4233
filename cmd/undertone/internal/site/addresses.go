package site

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
)

// Addresses are places on the web that only the owner of a site knows. Each may be "";
// ParseAddress checks them.
type Addresses struct {
	URL    string // of the site itself, with a slash at its end
	Source string // of the program's source code
	Docs   string // of its documentation
}

// linkPreview is the picture that other programs show beside a link to the page.
const linkPreview = "link-preview.jpg"

// ParseAddress checks an absolute address of the web.
func ParseAddress(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil:
		return "", fmt.Errorf("%q is not an address that begins with https:// or http:// and a host", text)
	}
	return u.String(), nil
}

// ParseFolder checks the address of a site, and puts a slash at its end.
func ParseFolder(text string) (string, error) {
	address, err := ParseAddress(text)
	if err == nil && strings.ContainsAny(address, "?#") {
		err = fmt.Errorf("%q has a query or a fragment: give the address of the site's folder", text)
	}
	return strings.TrimSuffix(address, "/") + "/", err
}

// links fills in the links at the foot of the page, and leaves out those that are not
// known.
func (a Addresses) links(index []byte) []byte {
	for name, address := range map[string]string{"source": a.Source, "docs": a.Docs} {
		part := regexp.MustCompile(`(?s)\s*<!-- ` + name + ` -->(.*?)<!-- /` + name + ` -->`)
		index = part.ReplaceAllFunc(index, func(found []byte) []byte {
			if address == "" {
				return nil
			}
			return bytes.Replace(found, []byte(`href=""`), []byte(`href="`+html.EscapeString(address)+`"`), 1)
		})
	}
	return index
}

var previewTags = regexp.MustCompile(`(<meta property="og:image" content=")\./([^"]*">)`)

// previewed matches the address of the picture that other programs show beside a link.
var previewed = regexp.MustCompile(`<meta property="og:image" content="([^"]*)">`)

// preview gives what other programs read of the page its address in full: most of them
// take no relative one. Without the site's address, that is all it can be.
func (a Addresses) preview(index []byte) []byte {
	if a.URL == "" {
		return index
	}
	address := html.EscapeString(a.URL)
	index = previewTags.ReplaceAll(index, []byte("${1}"+strings.ReplaceAll(address, "$", "$$")+"${2}"))
	const before = `<meta property="og:type"`
	tags := fmt.Sprintf("<link rel=\"canonical\" href=\"%s\">\n<meta property=\"og:url\" content=\"%s\">\n", address, address)
	return bytes.Replace(index, []byte(before), []byte(tags+before), 1)
}
