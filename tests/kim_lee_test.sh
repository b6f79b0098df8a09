#!/bin/bash
# The Kim & Lee program from outside, at sizes of seconds: its tables and figures appear; killed again and again it ends
# with the same bits as undisturbed, with another number of threads; trainings are shared by tables; bad input gets one
# sentence.
#
#   kim_lee_test.sh PROGRAM SCRATCH-FOLDER
. "$(dirname "$0")/support/experiment_test.sh"
# A classifier that has learnt nothing yet gives no class 0.9: every fake of its class counts as qualified.
small=(--synthetic 400 --iterations 3 --acgan-iterations 3 --width 0.0625 --classifier-epochs 1 --expert-epochs 1
       --p-min 0)
tiny=("${small[@]}" --fakes 4 --tables 1,3,5,7 --bias size --self-augment 0.25)

"$program" "${tiny[@]}" --threads 1 --out calm >calm.log 2>&1 || fail "the undisturbed run: $(tail -n 3 calm.log)"
for words in "Table 1" "Table 3" "Table 5" "Table 7" "Claims"; do
  grep -q "$words" calm.log || fail "no $words in the output"
done
for file in report.md tables.csv tables.json fakes_clsr_mnist_plain.png kept_mnist_size.png \
            tsne_clustergan_classifier_mnist_plain.csv losses_acgan_mnist_plain.csv; do
  [ -s "calm/$file" ] || fail "no $file"
done
# One CLS-R GAN a data set, though three tables and the figures look at it.
[ "$(find calm/cells -maxdepth 1 -name 'clsr-mnist-size-*' -type d | wc -l)" = 1 ] || fail "trainings are not shared"

killed_until_done "1 2 4 7 12 20 35 60 300" "${tiny[@]}"
for images in calm/cells/*/*-images-idx3-ubyte; do
  cmp "$images" "killed/${images#calm/}" || fail "$images differ"
done

# A folder of the user's own: as many classes as it has, in a table without the paper.
mkdir -p own/train/a own/train/b own/test/a own/test/b
for part in train test; do
  for class in a b; do
    for i in 1 2 3 4 5 6 7 8; do cp calm/kept_mnist_size.png own/$part/$class/$i.png; done
  done
done
"$program" "${small[@]}" --images own --fakes 10 --out own-out >own.log 2>&1 || fail "own images: $(tail -n 3 own.log)"
grep -q "Own images" own.log || fail "no table of own images"

# Their results are theirs alone: with another image in the folder nothing counts as finished.
listed() { "$program" "${small[@]}" --images own --fakes 10 --out own-out --list | tail -n 1; }
[ "$(listed)" = "$(listed | sed 's/^[0-9]* of \([0-9]*\)/\1 of \1/')" ] || fail "own images: $(listed)"
cp calm/fakes_clsr_mnist_plain.png own/test/b/8.png
[ "$(listed)" = "$(listed | sed 's/^[0-9]*/0/')" ] || fail "results of other images count: $(listed)"

refuses "tables" --tables 9
refuses "bn-sampling" --bn-sampling moving
refuses "nowhere" --data "$work/nowhere" --out refused
refuses "nowhere" --images "$work/nowhere" --out refused
echo "all well"
