package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// conform prints a line for every output and fails where one does.
func TestConform(t *testing.T) {
	const published = "../../engine/testdata/published"
	printed := succeed(t, "conform", filepath.Join(published, "t5"), filepath.Join(published, "flux_dev"))
	for _, want := range []string{
		`(?m)^t5 case0 last \d(\.\d)?e-0[78] ok$`, `(?m)^flux_dev case1 const2\.head\.velocity \d(\.\d)?e-0[78] ok$`, `(?m)^flux_dev case0 mixneg\.w 0 ok$`,
	} {
		if !regexp.MustCompile(want).MatchString(printed) {
			t.Errorf("no line is %s:\n%s", want, printed)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(printed), "\n") {
		if len(strings.Fields(line)) != 5 {
			t.Errorf("%q is not prefix, case, output, error, ok", line)
		}
	}

	changed := filepath.Join(t.TempDir(), "t5")
	for _, ending := range []string{".json", ".safetensors", ".cases.safetensors"} {
		if err := os.WriteFile(changed+ending, read(t, filepath.Join(published, "t5"+ending)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data := read(t, changed+".cases.safetensors")
	data[len(data)-1] ^= 0x80 // the sign of the last number
	if err := os.WriteFile(changed+".cases.safetensors", data, 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := cli("conform", changed, filepath.Join(published, "clip_l"), filepath.Join(published, "none"))
	if code != 1 || !strings.Contains(stdout, " FAILED: the limit is 1e-05\n") || !strings.Contains(stdout, "clip_l case0 last ") || !strings.Contains(stdout, "none - - - FAILED: open ") {
		t.Errorf("code %d:\n%s", code, stdout)
	}
	if want := regexp.MustCompile(`^undertone conform: [23] of 2\d outputs are missing, not understood or over their limits\n$`); !want.MatchString(stderr) {
		t.Errorf("it said %q", stderr)
	}
	if code, _, stderr := cli("conform"); code != 2 || !strings.Contains(stderr, "name the prefixes of reference files") {
		t.Errorf("without a prefix: code %d, %s", code, stderr)
	}
}
