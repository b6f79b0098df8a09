// Both biases choose what to keep; repeating it is the same for both.
#include "datasets/bias.h"

#include <algorithm>

#include "engine/error.h"

namespace tobogan {
namespace {

Biased repeat_kept(const ImageSet& set, const std::vector<int32_t>& members, std::vector<int32_t> kept,
                   int32_t centre) {
  Biased biased{.set = set, .kept = std::move(kept), .centre = centre};
  for (size_t j = 0; j < members.size(); ++j) {
    std::ranges::copy(set.image(biased.kept[j % biased.kept.size()]), biased.set.image(members[j]).begin());
  }
  return biased;
}

}  // namespace

Biased size_bias(const ImageSet& set, SizeBiasOptions options, uint64_t seed) {
  const std::vector<int32_t> members = of_class(set, options.label);
  const auto available = static_cast<int>(members.size());
  check(options.keep > 0 && options.keep <= available, "size bias: expected to keep 1..", available,
        " images of class ", options.label, " of ", set.source, ", got ", options.keep);
  std::vector<int32_t> kept = draw_indices(options.keep, available, seed);
  for (int32_t& index : kept) index = members[index];
  return repeat_kept(set, members, std::move(kept), -1);
}

Biased content_bias(const ImageSet& set, const ContentBiasOptions& options, const Similarity& similarity,
                    uint64_t seed) {
  const std::vector<int32_t> members = of_class(set, options.label);
  const auto available = static_cast<int>(members.size());
  check(available > 0 && options.draws > 0, "content bias: expected images of class ", options.label, " of ",
        set.source, " and at least one draw, got ", available, " images and ", options.draws, " draws");
  std::vector<int32_t> best;
  int32_t best_centre = -1;
  for (const int32_t draw : draw_indices(std::min(options.draws, available), available, seed)) {
    const int32_t centre = members[draw];
    std::vector<int32_t> kept;
    std::ranges::copy_if(members, std::back_inserter(kept), [&](int32_t i) {
      return i == centre || similarity(set.image(centre), set.image(i)) > options.threshold;
    });
    if (kept.size() <= best.size()) continue;
    best = std::move(kept);
    best_centre = centre;
    if (static_cast<int>(best.size()) >= options.least) break;
  }
  return repeat_kept(set, members, std::move(best), best_centre);
}

}  // namespace tobogan
