// Package words holds what the page says: its texts, in every language that it has, and
// how it writes sizes, times and numbers. A field of Text is one text; a pointer to it
// follows the language when that changes.
package words
