// Images on the device, and the order in which training sees them.
//
// A set lies on the device as bytes; a batch is gathered, scaled and laid out pixel-major by one kernel.  The order is
// a keyed permutation of (seed, epoch, position), computed where it is used: no shuffled list, no copy from the host.
#pragma once
#include <optional>
#include <string>

#include "datasets/dataset.h"
#include "engine/context.h"
#include "engine/state.h"

namespace tobogan {

// What the bytes 0 and 255 become.
struct PixelRange {
  double low = -1, high = 1;
};

struct Batch {
  Tensor images;   // {N, C, H, W}
  Indices labels;  // N
};

// An ImageSet in device memory.
class DeviceImages {
 public:
  DeviceImages(const ImageSet& set, const Device& device);

  int count() const { return count_; }
  // The images and labels at `indices`, in that order.
  Batch gather(const Indices& indices, const PixelRange& range = {}) const;
  // Positions begin..end-1.
  Batch range(int begin, int end, const PixelRange& range = {}) const;

 private:
  int count_, channels_, height_, width_;
  Array<uint8_t> pixels_;
  Indices labels_;
};

struct BatchesOptions {
  int batch = 64;
  PixelRange range = {};
  std::string stream = "shuffle";  // names the random numbers of the order
};

// Epoch after epoch over a set, each in a new random order; the last batch of an epoch holds what is left.
class Batches {
 public:
  // REQUIRES: context and images outlive it.  Throws Error for an empty set or a batch size below 1.
  Batches(Context& context, const DeviceImages& images, const BatchesOptions& options = {});

  Batch next();
  // `count` images drawn with replacement.
  Batch draw(int count);

  int next_size();  // of the batch that next() will return: step(batches.next_size()), since shapes depend on it
  int64_t steps_per_epoch() const { return (images_.count() + options_.batch - 1) / options_.batch; }

  State state();  // how far it has come, for checkpoints

 private:
  uint64_t position();

  Context& context_;
  const DeviceImages& images_;
  BatchesOptions options_;
  Counter cursor_;                    // images seen, in device memory
  std::optional<uint64_t> position_;  // the same on the host; unknown after a checkpoint may have been loaded
};

// An image batch in `range`, as bytes in the order of files: [image][channel][row][column], rounded and clamped.
std::vector<uint8_t> to_bytes(const Tensor& images, const PixelRange& range = {});

}  // namespace tobogan
