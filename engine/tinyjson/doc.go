// Package tinyjson reads and writes JSON (RFC 8259) with a fraction of the code of
// encoding/json, which would make a tenth of the page's program. It takes and gives the
// same, for what the page needs: structs (with the tags of encoding/json and its option
// omitempty; embedded ones are part of the outer one), strings, booleans, numbers,
// slices, pointers, maps with strings as keys and Raw (both to read only), and types with
// the methods ReadJSON and AppendJSON. Names of fields must match to the letter, case
// included, and the first value that does not fit ends the reading.
package tinyjson
