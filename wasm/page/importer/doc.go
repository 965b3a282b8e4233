// Package importer takes over what made a picture from elsewhere: from the page's
// address, and from links and PNG files that are opened, dropped or pasted. It fills in
// the form and runs nothing.
package importer
