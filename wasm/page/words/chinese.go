//go:build !js

package words

import _ "embed" // the texts

// Tests have every language; in the browser each is a file of the site.
//
//go:embed zh.json
var chinese []byte
