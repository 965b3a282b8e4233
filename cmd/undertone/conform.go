package main

import (
	"context"
	"fmt"
	"io"

	"undertone/engine/conform"
	"undertone/engine/cpu"
)

// conformTo compares the CPU device with what another implementation computed.
func conformTo(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("conform", "PREFIX…", stderr)
	vocabulary := fs.String("vocab", "", "file of CLIP's vocabulary (bpe_simple_vocab_16e6.txt.gz), for a tokenizer's cases")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return usagef("name the prefixes of reference files, such as goldens/flux_dev")
	}
	be := cpu.New(cpu.Options{})
	defer be.Close()
	failed, all := 0, 0
	for _, prefix := range fs.Args() {
		report, err := conform.Run(ctx, be, prefix, conform.Options{
			Vocabulary: *vocabulary,
			Tell:       func(r conform.Result) { fmt.Fprintln(stdout, r) },
		})
		if err != nil {
			return err
		}
		failed, all = failed+report.Failed(), all+len(report.Results)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d outputs are missing, not understood or over their limits", failed, all)
	}
	return nil
}
