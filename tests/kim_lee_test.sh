#!/bin/bash
# The Kim & Lee program from outside, at sizes of seconds: its tables and figures appear; killed again and again it ends
# with the same bits as undisturbed, with another number of threads; trainings are shared by tables; bad input gets one
# sentence.
#
#   kim_lee_test.sh PROGRAM SCRATCH-FOLDER
. "$(dirname "$0")/support/experiment_test.sh"
small=(--synthetic 400 --iterations 3 --acgan-iterations 3 --width 0.0625 --classifier-epochs 1 --expert-epochs 1)
# A classifier that has learnt nothing yet gives no class 0.9: every fake of its class counts as qualified.
any=("${small[@]}" --p-min 0)
tiny=("${any[@]}" --fakes 4 --tables 1,3,5,7 --bias size --self-augment 0.25 --sweep 0,0.05)

"$program" "${tiny[@]}" --threads 1 --out calm >calm.log 2>&1 || fail "the undisturbed run: $(tail -n 3 calm.log)"
for words in "Table 1" "Table 3" "Table 5" "Table 7" "Claims"; do
  grep -q "$words" calm.log || fail "no $words in the output"
done
for file in report.md tables.csv tables.json fakes_clsr_mnist_plain.png kept_mnist_size.png \
            tsne_clustergan_classifier_mnist_plain.csv losses_acgan_mnist_plain.csv sweep_mnist_plain.csv \
            sweep_trade_mnist_size.csv; do
  [ -s "calm/$file" ] || fail "no $file"
done
# One CLS-R GAN a data set, though three tables and the figures look at it.
[ "$(find calm/cells -maxdepth 1 -name 'clsr-mnist-size-*' -type d | wc -l)" = 1 ] || fail "trainings are not shared"

killed_until_done "1 2 4 7 12 20 35 60 800" "${tiny[@]}"
for images in calm/cells/*/*-images-idx3-ubyte; do
  cmp "$images" "killed/${images#calm/}" || fail "$images differ"
done

# Nothing is qualified at a probability that no network reaches: entries are "n/a", classes are reported as short, and it
# is no failure.
"$program" "${small[@]}" --p-min 1 --fakes 30 --tables 1,5 --bias plain --out none >none.log 2>&1 ||
  fail "nothing qualified: $(tail -n 3 none.log)"
grep -q "Too few qualified fakes, clsr, MNIST, seed 1: class 0: 0," none.log || fail "no shortfall is reported"
grep -q "a number it needs does not exist" none.log || fail "a claim was tested without numbers"

# Which images a biased set kept is said without figures too, and for every seed.
bias=(--tables 3 --bias size --seeds 1,2 --no-figures --fakes 4 --out bias)
"$program" "${any[@]}" "${bias[@]}" --cells 'bias-*' >bias.log 2>&1 || fail "bias: $(tail -n 3 bias.log)"
for seed in 1 2; do
  [ "$(find bias/cells -path "*bias-mnist-size-s$seed*/result.json")" ] || fail "no kept images of seed $seed"
done
! cmp -s bias/cells/bias-mnist-size-s1*/kept-images-idx3-ubyte bias/cells/bias-mnist-size-s2*/kept-images-idx3-ubyte ||
  fail "two seeds kept the same images"

# A folder of the user's own: as many classes as it has, in a table without the paper.
mkdir -p own/train/a own/train/b own/test/a own/test/b
for part in train test; do
  for class in a b; do
    for i in 1 2 3 4 5 6 7 8; do cp calm/kept_mnist_size.png own/$part/$class/$i.png; done
  done
done
"$program" "${any[@]}" --images own --fakes 10 --out own-out >own.log 2>&1 || fail "own images: $(tail -n 3 own.log)"
grep -q "Own images" own.log || fail "no table of own images"
grep -q "Figure 11. Fakes of clsr, own images" own-out/report.md || fail "Figure 11 is not of the user's images"
# Inception's columns stand in the tables with the paper's numbers, and say that there are none of ours.
grep -q '"column": "IS",' calm/tables.json || fail "Table 1 has no column IS"

# Their results are theirs alone: with another image in the folder nothing counts as finished.
listed() { "$program" "${any[@]}" --images own --fakes 10 --out own-out --list | tail -n 1; }
[ "$(listed)" = "$(listed | sed 's/^[0-9]* of \([0-9]*\)/\1 of \1/')" ] || fail "own images: $(listed)"
cp calm/fakes_clsr_mnist_plain.png own/test/b/8.png
[ "$(listed)" = "$(listed | sed 's/^[0-9]*/0/')" ] || fail "results of other images count: $(listed)"

refuses "tables" --tables 9
refuses "got plain alone" --tables 3 --bias plain
refuses "bn-sampling" --bn-sampling moving
refuses "nowhere" --data "$work/nowhere" --out refused
refuses "nowhere" --images "$work/nowhere" --out refused
echo "all well"
