#!/bin/bash
# The Abadi program from outside, at sizes of seconds: its tables appear; killed again and again it ends with the same
# bits as undisturbed, with another number of threads; and each kind of bad input gets one sentence and an exit status.
#
#   abadi_test.sh PROGRAM SCRATCH-FOLDER
set -euo pipefail
program=$1 work=$2
rm -rf "$work"; mkdir -p "$work"; cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }
tiny=(--tables 1,2,5 --sizes 100,120 --alphas 0.0625,0.125 --gan-epochs 2 --colour-images 20)

"$program" "${tiny[@]}" --threads 1 --out calm >calm.log 2>&1 || fail "the undisturbed run: $(tail -n 3 calm.log)"
for table in "Table 1" "Table 2" "Table 3" "Table 4" "Table 5" "Claims"; do
  grep -q "$table" calm.log || fail "no $table in the output"
done
for file in report.md tables.csv tables.json provenance.json figure1.png figure2.csv figure6.csv; do
  [ -s "calm/$file" ] || fail "no $file"
done

# Killed while computing, at moments that differ from try to try, with a checkpoint after every step.
finished=0
for pause in 0.4 0.7 1.1 1.6 2.2 3 4 6 9 14 30 200; do
  { timeout -s KILL "$pause" "$program" "${tiny[@]}" --threads 2 --checkpoint-minutes 0 --out killed >killed.log 2>&1 &&
    finished=1; } 2>/dev/null || continue
  break
done
[ $finished = 1 ] || fail "the killed run never ended: $(tail -n 3 killed.log)"
cmp calm/tables.json killed/tables.json || fail "killed and undisturbed runs differ"
for fakes in calm/cells/*gan*/fakes*; do
  cell=$(basename "$(dirname "$fakes")")
  cmp "$fakes" "killed/cells/$cell/$(basename "$fakes")" || fail "fakes of $cell differ"
done

# refuses WORDS ARGUMENT...: exit status 1 (CLI11's own for a wrong option), one line on stderr that has the words.
refuses() {
  local words=$1 status=0; shift
  "$program" "$@" >/dev/null 2>refused.log || status=$?
  [ $status != 0 ] && [ $status -lt 126 ] || fail "$*: exit status $status"
  [ "$(wc -l <refused.log)" -le 2 ] || fail "$*: more than a sentence: $(cat refused.log)"
  grep -q -- "$words" refused.log || fail "$*: no \"$words\" in: $(cat refused.log)"
}
refuses "profil" --profile huge
refuses "nonsense" --nonsense 3
refuses "nowhere" --tables 1 --data "$work/nowhere" --out refused
mkdir -p empty corrupt/mnist
refuses "mnist" --tables 1 --alphas 0.0625 --data empty --out refused1
for part in train t10k; do
  head -c 100 /dev/zero >corrupt/mnist/$part-images-idx3-ubyte
  head -c 100 /dev/zero >corrupt/mnist/$part-labels-idx1-ubyte
done
refuses "idx3-ubyte" --tables 1 --alphas 0.0625 --data corrupt --out refused2
: >a-file
refuses "a-file" --out a-file/results

# A disk that is full: no file may grow beyond 64 KiB, less than a generator takes.  Once there is room, it goes on.
wide=(--tables 1 --alphas 0.25 --gan-epochs 1 --out full)
status=0
(ulimit -f 64; trap '' XFSZ; "$program" "${wide[@]}" >full.log 2>&1) || status=$?
[ $status = 1 ] || fail "a full disk: exit status $status"
grep -q "cannot write .*generator.safetensors" full.log || fail "a full disk: no file named in $(tail -n 2 full.log)"
"$program" "${wide[@]}" >full.log 2>&1 || fail "with room again: $(tail -n 2 full.log)"
echo "all well"
