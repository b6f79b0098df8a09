// Work on images that do not depend on each other, spread over the processors for a moment.  (Training has a pool of
// its own, kernels/cpu/threads.h; a data set is made once, before it.)
#pragma once
#include <algorithm>
#include <thread>
#include <vector>

#include "kernels/cores.h"

namespace tobogan {

// Calls work(i) once for each i of 0..count-1, in any order and several at a time.  REQUIRES: work does not throw.
template <class Work>
void for_each_image(int count, const Work& work) {
  const int hands = kernels::available_cores();
  const auto every = [&](int first) {
    for (int i = first; i < count; i += hands) work(i);
  };
  std::vector<std::jthread> helpers;  // joined by their destructors
  for (int first = 1; first < std::min(hands, count); ++first) helpers.emplace_back(every, first);
  every(0);
}

}  // namespace tobogan
