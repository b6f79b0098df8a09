#!/bin/bash
# What the documents show as C++ is compiled: each block of C++ in README.md and docs/adding-a-model.md stands, line by
# line and in a row, in tests/install/wgan_gp.cpp, which the install test builds and runs.  Indentation does not count.
#
#   docs_test.sh
set -euo pipefail
cd "$(dirname "$0")/.."
program=tests/install/wgan_gp.cpp documents=(README.md docs/adding-a-model.md)
awk -v program="$program" '
  function trimmed(line) { gsub(/^[ \t]+|[ \t]+$/, "", line); return line }
  BEGIN { while ((getline line < program) > 0) source = source trimmed(line) "\n" }
  FNR == 1 { inside = 0 }
  /^ *```/ {
    if (inside && !index(source, block)) { print FILENAME ": not in " program ":\n" block; wrong = 1 }
    blocks += inside
    inside = !inside && /```cpp$/
    block = ""
    next
  }
  inside { block = block trimmed($0) "\n" }
  END { if (blocks < 3) { print "expected at least 3 blocks of C++, found " blocks + 0; wrong = 1 } exit wrong }
' "${documents[@]}"
