package text

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// charsmap is sentencepiece's compiled table of normalization: strings and what each
// is replaced by. Its bytes are a length, a trie of so many bytes, and the
// replacements, each ended by NUL.
//
// The trie is a double array as Darts-clone has it. A unit of 32 bits has the byte that
// leads to it (bits 0–7, and bit 31, which is 0 but in a value), whether a string ends
// there (bit 8), and the offset of its children (from bit 10, in steps of 256 where bit
// 9 is set): the child for a byte c lies at this unit's place XOR offset XOR c, its
// value, the place of the replacement, at the place XOR offset.
type charsmap struct {
	trie         []uint32
	replacements []byte
}

// maxCharsmap bounds the table in bytes; that of nmt_nfkc has 240 kB.
const maxCharsmap = 8 << 20

func newCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 4 || len(data) > maxCharsmap {
		return nil, invalid("the table of normalization has %d bytes, supported 4 to %d", len(data), maxCharsmap)
	}
	size := uint64(binary.LittleEndian.Uint32(data))
	data = data[4:]
	if size%4 != 0 || size < 4 || size > uint64(len(data)) {
		return nil, invalid("the table of normalization has a trie of %d bytes in %d", size, len(data))
	}
	m := &charsmap{trie: make([]uint32, size/4), replacements: data[size:]}
	for i := range m.trie {
		m.trie[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	// So a text can only grow by a known factor, and stays text.
	for entry := range bytes.SplitSeq(m.replacements, []byte{0}) {
		if len(entry) > maxPiece || !utf8.Valid(entry) {
			return nil, invalid("the table of normalization has a replacement of %d bytes, which is too long or no text", len(entry))
		}
	}
	return m, nil
}

// child returns the place of the unit that the step c from offset's place leads to.
func (m *charsmap) child(at uint32, c byte) (uint32, bool) {
	at ^= uint32(c)
	return at, at < uint32(len(m.trie)) && m.trie[at]&(1<<31|0xFF) == uint32(c)
}

// children is the place of a unit XOR the offset of its children.
func (m *charsmap) children(at uint32) uint32 {
	unit := m.trie[at]
	return at ^ unit>>10<<(unit&(1<<9)>>6)
}

// find looks for the strings that s begins with, the shortest or the longest of them,
// and returns its replacement and length; length 0 if there is none.
func (m *charsmap) find(s string, shortest bool) (by string, length int) {
	at := m.children(0)
	for i := range len(s) {
		place, ok := m.child(at, s[i])
		if !ok {
			break
		}
		at = m.children(place)
		if m.trie[place]>>8&1 == 0 || at >= uint32(len(m.trie)) {
			continue
		}
		value := m.trie[at] &^ (1 << 31)
		if value > uint32(len(m.replacements)) {
			continue
		}
		to, _, _ := bytes.Cut(m.replacements[value:], []byte{0})
		by, length = string(to), i+1
		if shortest {
			break
		}
	}
	return by, length
}

// byGrapheme normalizes as Hugging Face's Precompiled does, which differs from
// sentencepiece where several characters make one: what a person sees as one character
// (a grapheme cluster) is, if it is shorter than 6 bytes and begins with a string of
// the table, replaced as a whole, by the replacement of the shortest such string.
// Else this is done for each of its characters.
func (m *charsmap) byGrapheme(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	state := -1
	for s != "" {
		var cluster string
		cluster, s, _, state = uniseg.FirstGraphemeClusterInString(s, state)
		if len(cluster) < 6 {
			if by, n := m.find(cluster, true); n > 0 {
				b.WriteString(by)
				continue
			}
		}
		for cluster != "" {
			_, n := utf8.DecodeRuneInString(cluster)
			by, found := m.find(cluster[:n], true)
			if found == 0 {
				by = cluster[:n]
			}
			b.WriteString(by)
			cluster = cluster[n:]
		}
	}
	return b.String()
}
