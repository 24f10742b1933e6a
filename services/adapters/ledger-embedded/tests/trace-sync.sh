#!/bin/sh
# Shows with traced system calls that each acknowledgement follows a sync of the written block.
# Usage: trace-sync.sh TEST_BINARY   (the binary of tests/all.rs; needs strace)
# It traces the test `trace::appends_for_the_trace`, which prints "acknowledged N" to stdout after each append.
# With `early` as a second argument the guarantee is switched off, and this script must fail.
set -eu
binary=$1
mode=${2:-kept}
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT
HINDCAST_TRACE_MODE=$mode strace -f -o "$trace" -e trace=pwrite64,write,fdatasync,fsync \
  "$binary" --exact trace::appends_for_the_trace --ignored --nocapture >/dev/null
awk '
  /pwrite64\(/ && !/heads/      { written++ ; dirty = 1 }
  /fdatasync\(.*= 0/ || /fdatasync resumed.*= 0/ { synced++; dirty = 0 }
  /write\(1, "acknowledged /     { acknowledged++; if (dirty || synced < acknowledged) { bad++ } }
  END {
    printf "blocks written %d, data syncs %d, acknowledgements %d, before their sync %d\n", written, synced, acknowledged, bad
    exit !(acknowledged > 0 && bad == 0 && synced >= acknowledged)
  }' "$trace"
