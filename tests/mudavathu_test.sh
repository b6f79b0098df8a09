#!/bin/bash
# The Mudavathu program from outside, at sizes of seconds: its tables and pictures appear; killed again and again it ends
# with the same bits as undisturbed, with another number of threads; bad input gets one sentence.
#
#   mudavathu_test.sh PROGRAM SCRATCH-FOLDER
. "$(dirname "$0")/support/experiment_test.sh"
# A picture every second "epoch", and one after the last.
tiny=(--iterations 10 --epochs 15 --synthetic 500 --train-images 200 --expert-epochs 1)

"$program" "${tiny[@]}" --threads 1 --out calm >calm.log 2>&1 || fail "the undisturbed run: $(tail -n 3 calm.log)"
for words in "M1. Losses" "M2. \"Accuracy" "M2. A classifier" "Claims"; do
  grep -q "$words" calm.log || fail "no $words in the output"
done
for file in report.md tables.csv tables.json m1_losses.csv m1_fakes.png m2_losses.csv m2_grid_0.png m2_grid_14.png \
            m2_grid_15.png m2_real.png; do
  [ -s "calm/$file" ] || fail "no $file"
done
grep -q '"10"' calm/tables.json || fail "the log does not reach iteration 10"

killed_until_done "0.5 1 2 3 5 8 13 21 34 800" "${tiny[@]}"
for images in calm/cells/*/*-images-idx3-ubyte; do
  cmp "$images" "killed/${images#calm/}" || fail "$images differ"
done

# Gates that let nothing but the discriminator through: the generator is not trained, and the note says so.
"$program" "${tiny[@]}" --experiments 1 --gate-g 0.01 --out gated >gated.log 2>&1 || fail "$(tail -n 3 gated.log)"
grep -q "G was trained in 0, D in 11" gated/report.md || fail "gates: $(grep trained gated/report.md)"

refuses "m1-data" --m1-data cats
refuses "nowhere" --data "$work/nowhere" --out refused
mkdir -p empty
refuses "fashion-mnist" --data empty --out refused
echo "all well"
