#!/bin/bash
# The Abadi program from outside, at sizes of seconds: its tables appear; killed again and again it ends with the same
# bits as undisturbed, with another number of threads; and each kind of bad input gets one sentence and an exit status.
#
#   abadi_test.sh PROGRAM SCRATCH-FOLDER
. "$(dirname "$0")/support/experiment_test.sh"
tiny=(--tables 1,2,5 --sizes 100,120 --alphas 0.0625,0.125 --gan-epochs 2 --colour-images 20
      --synthetic-test 100)

"$program" "${tiny[@]}" --threads 1 --out calm >calm.log 2>&1 || fail "the undisturbed run: $(tail -n 3 calm.log)"
for table in "Table 1" "Table 2" "Table 3" "Table 4" "Table 5" "Claims"; do
  grep -q "$table" calm.log || fail "no $table in the output"
done
for file in report.md tables.csv tables.json provenance.json figure1.png figure2.csv figure6.csv; do
  [ -s "calm/$file" ] || fail "no $file"
done

# A claim says nothing while a seed is missing, and pictures that cannot be drawn cost no table.
cp -r calm two
cp -r calm torn
"$program" "${tiny[@]}" --seeds 1,2 --report-only --out two >two.log 2>&1 || fail "two seeds: $(tail -n 3 two.log)"
grep -q "^not tested  Real images beat as many fakes" two.log || fail "a claim of one seed of two: $(grep 'beat' two.log)"
rm torn/cells/*gan*/fakes*
"$program" "${tiny[@]}" --report-only --out torn >torn.log 2>&1 || fail "without fakes: $(tail -n 3 torn.log)"
grep -q "^note: Pictures are missing: .*fakes" torn.log || fail "no note of missing pictures"
grep -q "Table 5" torn.log || fail "no table beside missing pictures"

# Beside the paper's best epoch stand the last one and the training images.
for words in "Tables 2 to 4 again, at the last epoch" "Tables 2 to 4 again, on the training images"; do
  grep -q "$words" calm.log || fail "no $words in the output"
done

# Sizes are sorted and doubled ones count once.  Drawn images are others where another number is drawn: results of the
# one are no results of the other.
"$program" --tables 2 --sizes 120,100,120 --gan-epochs 2 --cells 'mlp-n100-real-s1' --out drawn >drawn.log 2>&1 ||
  fail "doubled sizes: $(tail -n 3 drawn.log)"
grep -q "^size  *100  *120$" drawn.log || fail "sizes: $(grep '^size' drawn.log)"
listed() { "$program" --tables 2 --gan-epochs 2 --out drawn --list --cells 'mlp-n100-real-s1' "$@" | tail -n 1; }
[[ "$(listed --sizes 100,120)" == 1\ of\ * ]] || fail "listed: $(listed --sizes 100,120)"
[[ "$(listed --sizes 100,300)" == 0\ of\ * ]] || fail "results on other drawn images count: $(listed --sizes 100,300)"

killed_until_done "0.4 0.7 1.1 1.6 2.2 3 4 6 9 14 30 800" "${tiny[@]}"
for fakes in calm/cells/*gan*/fakes*; do
  cell=$(basename "$(dirname "$fakes")")
  cmp "$fakes" "killed/cells/$cell/$(basename "$fakes")" || fail "fakes of $cell differ"
done

refuses "profil" --profile huge
refuses "nonsense" --nonsense 3
refuses "cuda:99" --tables 1 --device cuda:99 --out refused
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
