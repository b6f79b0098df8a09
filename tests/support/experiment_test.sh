# What the shell tests of experiment programs share; to be sourced with PROGRAM and SCRATCH-FOLDER as arguments.
set -euo pipefail
program=$1 work=$2
rm -rf "$work"; mkdir -p "$work"; cd "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

# killed_until_done PAUSES ARGUMENT...: the program into the folder "killed", killed while computing after each of PAUSES
# seconds, at moments that differ from try to try, with a checkpoint after every step, until it ends by itself.  Its
# tables must then be those of the folder "calm".
killed_until_done() {
  local pauses=$1 pause finished=0; shift
  for pause in $pauses; do
    { timeout -s KILL "$pause" "$program" "$@" --threads 2 --checkpoint-minutes 0 --out killed >killed.log 2>&1 &&
      finished=1; } 2>/dev/null || continue
    break
  done
  [ $finished = 1 ] || fail "the killed run never ended: $(tail -n 3 killed.log)"
  cmp calm/tables.json killed/tables.json || fail "killed and undisturbed runs differ"
}

# refuses WORDS ARGUMENT...: exit status 1 (CLI11's own for a wrong option), one line on stderr that has the words.
refuses() {
  local words=$1 status=0; shift
  "$program" "$@" >/dev/null 2>refused.log || status=$?
  [ $status != 0 ] && [ $status -lt 126 ] || fail "$*: exit status $status"
  [ "$(wc -l <refused.log)" -le 2 ] || fail "$*: more than a sentence: $(cat refused.log)"
  grep -q -- "$words" refused.log || fail "$*: no \"$words\" in: $(cat refused.log)"
}
