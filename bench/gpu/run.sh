#!/bin/bash
# Every step of gpu-bench, each for itself: one that fails or hangs costs the
# others nothing.
#   run.sh PROGRAM FOLDER      PROGRAM was built of host/, FOLDER is emit.py's
program=$1 folder=$2
step() { timeout -k 2 "$1" "$program" "$folder" "$2" || echo "$2: status $?"; }
for name in memory launches barriers loaded-barriers hand-overs matrices; do
  echo; echo "## $name"; step 40 $name
done
echo; echo "## layers"
echo "| bits | width | warps | group | ring | fetched ahead | under way | barriers | who multiplies | registers | error | as kernels in a graph, µs a layer | started early | as one kernel | GB/s | of reads | of a product: activations, µs | multiplying | barrier |"
echo "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
for file in "$folder"/layers-*.ptx; do
  step 20 "$(basename "$file")" | grep -v "multiprocessors"
done
