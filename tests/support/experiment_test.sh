# What the shell tests of experiment programs share; to be sourced with PROGRAM and SCRATCH-FOLDER as arguments.
set -euo pipefail
program=$1 work=$2
rm -rf "$work"; mkdir -p "$work"; cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

# killed_until_done PAUSES ARGUMENT...: the program into the folder "killed", killed while computing, first as soon as a
# cell has written something, then after each of PAUSES seconds, at moments that differ from try to try, with a checkpoint
# after every step, until it ends by itself.  Its tables must then be those of the folder "calm".
killed_until_done() {
  local pauses=$1 pause pid finished=0 status=0; shift
  local run=("$program" "$@" --threads 2 --checkpoint-minutes 0 --out killed)
  "${run[@]}" >killed.log 2>&1 & pid=$!
  until compgen -G "killed/cells/*/*" >/dev/null || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
  kill -KILL $pid 2>/dev/null || true
  { wait $pid || status=$?; } 2>/dev/null
  [ $status = 137 ] || fail "no run was killed (exit status $status): $(tail -n 3 killed.log)"
  for pause in $pauses; do
    { timeout -s KILL "$pause" "${run[@]}" >killed.log 2>&1 && finished=1; } 2>/dev/null || continue
    break
  done
  [ $finished = 1 ] || fail "the killed run never ended: $(tail -n 3 killed.log)"
  cmp calm/tables.json killed/tables.json || fail "killed and undisturbed runs differ"
}

# refuses WORDS ARGUMENT...: exit status 1 (CLI11's own for a wrong option), one line on stderr that has the words, and
# where CLI11 refuses its hint at --help.
refuses() {
  local words=$1 status=0; shift
  "$program" "$@" >/dev/null 2>refused.log || status=$?
  [ $status != 0 ] && [ $status -lt 126 ] || fail "$*: exit status $status"
  [ "$(grep -vc '^Run with --help' refused.log)" = 1 ] || fail "$*: more than a sentence: $(cat refused.log)"
  grep -q -- "$words" refused.log || fail "$*: no \"$words\" in: $(cat refused.log)"
}
