package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"undertone/engine/fault"
)

// command is one row of the table. run returns a *usageError for a wrong command
// line, flag.ErrHelp for -h, and any other error for a failure.
type command struct {
	name, summary string
	run           func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

var commands = []command{
	{"convert", "quantize a model's weights and write them as GGUF", convert},
	{"inspect", "list what a model or a weight file contains", inspect},
	{"generate", "make a picture on the CPU", generate},
	{"embed", "print the tag that puts a picture into a page, and write its poster", embed},
	{"forward", "run the transformer once on given numbers", forward},
	{"conform", "compare with another implementation's reference files", conformTo},
	{"lab", "ask a model what its text vector and guidance do: pictures compared, with intervals", experiment},
	{"serve", "serve a built site on this machine", serve},
	{"dist", "build the static site", dist},
	{"bench", "time the parts of a picture in a browser, with and without guidance", bench},
}

// grace is how long a command may take to end after Ctrl+C, so that it can remove
// what is half written.
const grace = 300 * time.Millisecond

// interrupted is the exit code after Ctrl+C, as shells have it: 128 + SIGINT.
const interrupted = 130

func main() {
	log.SetOutput(&terminal{w: os.Stderr}) // net/http writes there
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, os.Args[1:], os.Stdout, os.Stderr) }()
	select {
	case code := <-ended:
		os.Exit(code)
	case <-ctx.Done():
	}
	stop() // from here on a second signal ends the program at once
	select {
	case code := <-ended:
		os.Exit(code)
	case <-time.After(grace): // the system may wait for ever, for example to open a FIFO
		fmt.Fprintln(os.Stderr, "undertone: stopped")
		os.Exit(interrupted)
	}
}

// run executes one command line and returns the exit code: 0, 1 for a failure, 2
// for a wrong command line, interrupted where ctx ended it. All text passes through
// a terminal.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out, errs := &terminal{w: stdout}, &terminal{w: stderr}
	defer out.flush()
	defer errs.flush()
	return dispatch(ctx, args, out, errs)
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		out, code := stdout, 0
		if len(args) == 0 {
			out, code = stderr, 2
		}
		fmt.Fprintln(out, "usage: undertone COMMAND [ARGUMENTS]   (-h after a command lists its flags)")
		for _, c := range commands {
			fmt.Fprintf(out, "  %-9s %s\n", c.name, c.summary)
		}
		return code
	}
	for _, c := range commands {
		if c.name == args[0] {
			return report(c.name, c.run(ctx, args[1:], stdout, stderr), stderr)
		}
	}
	fmt.Fprintf(stderr, "undertone: there is no command %q; undertone help lists them\n", args[0])
	return 2
}

func report(name string, err error, stderr io.Writer) int {
	var usage *usageError
	var f *fault.Error
	var local *fs.PathError // speaks for itself; the advice of faults is about downloads
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	said := oneLine(err.Error())
	switch {
	case fault.Is(err, fault.Aborted), errors.Is(err, context.Canceled):
		fmt.Fprintf(stderr, "undertone %s: stopped\n", name)
		return interrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "undertone %s: %s (undertone %s -h lists the flags)\n", name, said, name)
		return 2
	case errors.As(err, &f) && !errors.As(err, &local):
		fmt.Fprintf(stderr, "undertone %s: %s\n%s\n", name, said, f.Advice)
	default:
		fmt.Fprintf(stderr, "undertone %s: %s\n", name, said)
	}
	return 1
}

// usageError is a wrong command line.
type usageError struct{ sentence string }

func (e *usageError) Error() string { return e.sentence }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// isFolder refuses what cannot be the name of a folder to write.
func isFolder(flag, name string) error {
	if name == "" || name == "-" {
		return usagef("%s %q: name a folder to write", flag, name)
	}
	return nil
}

// flagSet is a flag.FlagSet whose errors are usage errors and whose flags may
// also stand behind the arguments: undertone convert MODEL --to Q8_0.
type flagSet struct {
	*flag.FlagSet
	help func()
	args []string
}

// flags makes the flag set of a command that takes the named arguments.
func flags(name, arguments string, stderr io.Writer) *flagSet {
	fs := &flagSet{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError)}
	fs.SetOutput(io.Discard) // run reports errors, once
	fs.Usage = func() {}
	fs.help = func() {
		fs.SetOutput(stderr)
		fmt.Fprintf(stderr, "usage: %s\n", strings.TrimRight("undertone "+name+" [FLAGS] "+arguments, " "))
		fs.PrintDefaults()
	}
	return fs
}

// Parse parses flags before, between and behind the arguments, up to a "--".
func (fs *flagSet) Parse(args []string) error {
	for {
		if err := fs.FlagSet.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fs.help()
				return err
			}
			return usagef("%v", err)
		}
		rest := fs.FlagSet.Args()
		if used := len(args) - len(rest); used > 0 && args[used-1] == "--" {
			fs.args = append(fs.args, rest...)
			return nil
		}
		if len(rest) == 0 {
			return nil
		}
		fs.args, args = append(fs.args, rest[0]), rest[1:]
	}
}

// NArg, Arg and Args are those of flag.FlagSet, for arguments in any place.
func (fs *flagSet) NArg() int        { return len(fs.args) }
func (fs *flagSet) Arg(i int) string { return fs.args[i] }
func (fs *flagSet) Args() []string   { return fs.args }
