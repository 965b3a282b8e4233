#!/bin/sh
# Trains the shipped model, all stages; arguments are passed on (see undertone/run.py).
# "triples" and "edit" teach it to edit pictures, "pathless" and
# "adapter" take its pooled path away and give it another; "judge", "evaluate", "edit_evaluate",
# "adapter_evaluate", "edit_report" and "report" measure it: the stages of those names, with arguments of their own.
# The malloc settings keep large tensors from going back to the kernel at every step: 2-5 times faster.
set -e
cd "$(dirname "$0")"
export MALLOC_MMAP_THRESHOLD_=8589934592 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
# Threads that sleep while they wait let training share its cores with other work.
export OMP_WAIT_POLICY=passive
case "${1:-}" in
adapter | adapter_evaluate | pathless | triples | perceptual | edit | judge | evaluate | edit_evaluate | edit_report | report)
  stage=$1
  shift
  ;;
*) stage=run ;;
esac
exec "${PYTHON:-python3}" -m "undertone.$stage" "$@"
