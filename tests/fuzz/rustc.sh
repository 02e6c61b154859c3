#!/bin/sh
# The compiler with LLVM's counters of branches and comparisons, which libFuzzer reads. As RUSTC_WORKSPACE_WRAPPER
# it compiles the packages of this repository alone; the same flags in RUSTFLAGS would build every dependency anew.
# Build scripts have nothing that would count.
case " $* " in *" --crate-name build_script_"*) exec "$@" ;; esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares
