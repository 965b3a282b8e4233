package input

import (
	"context"
	"fmt"
	"io"
	"os"

	"undertone/engine/fault"
)

// Read reads a file of at most limit bytes. It returns as soon as ctx ends, even
// while the system waits for the file (Aborted).
func Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := read(name, limit)
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped while %s was read", name)
	}
}

func read(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has over %d bytes, the limit for this kind of file", name, limit)
	}
	return data, err
}
