// The cursor is kept twice: on the device for the kernels, on the host for the size of the next batch.
#include "datasets/batches.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/gather.h"
#include "kernels/random.h"

namespace tobogan {

DeviceImages::DeviceImages(const ImageSet& set, const Device& device)
    : count_(set.count),
      channels_(set.channels),
      height_(set.height),
      width_(set.width),
      pixels_(std::span(set.pixels), device),
      labels_(std::span(set.labels), device) {
  check_consistent(set);
}

Batch DeviceImages::gather(const Indices& indices, const PixelRange& range) const {
  const int64_t count = indices.count();
  Batch batch{Tensor({static_cast<int>(count), channels_, height_, width_}, indices.device()),
              Indices(count, indices.device())};
  const Real scale = static_cast<Real>((range.high - range.low) / 255), shift = static_cast<Real>(range.low);
  dispatch(indices.device(), [&](auto on) {
    kernels::gather_images(on, {.count = count, .channels = channels_, .height = height_, .width = width_}, scale,
                           shift, pixels_.data(), indices.data(), batch.images.data());
    kernels::gather_labels(on, count, labels_.data(), indices.data(), batch.labels.data());
  });
  return batch;
}

Batch DeviceImages::range(int begin, int end, const PixelRange& range) const {
  check(0 <= begin && begin <= end && end <= count_, "range: images ", begin, " to ", end, " of a set of ", count_);
  std::vector<int32_t> positions(end - begin);
  std::iota(positions.begin(), positions.end(), begin);
  return gather(Indices(std::span<const int32_t>(positions), pixels_.device()), range);
}

Batches::Batches(Context& context, const DeviceImages& images, const BatchesOptions& options)
    : context_(context), images_(images), options_(options), cursor_(1, context.device), position_(0) {
  check(images.count() >= 1, "Batches: the set has no images");
  check(options.batch >= 1, "Batches: expected a batch size of at least 1, got ", options.batch);
  cursor_.set(std::vector<uint64_t>{0});
}

uint64_t Batches::position() {
  if (!position_) position_ = cursor_.to_host()[0];
  return *position_;
}

int Batches::next_size() {
  const int left = images_.count() - static_cast<int>(position() % static_cast<uint64_t>(images_.count()));
  return std::min(options_.batch, left);
}

Batch Batches::next() {
  const int count = next_size();
  Indices indices(count, context_.device);
  dispatch(context_.device, [&](auto on) {
    kernels::permuted_indices(on, context_.rng.key(options_.stream), images_.count(), cursor_.data(), count,
                              indices.data());
    kernels::advance(on, count, cursor_.data());
  });
  const auto count_on = [this, count] { position_ = position() + count; };
  count_on();
  context_.at_replay(count_on);
  return images_.gather(indices, options_.range);
}

Batch Batches::draw(int count) {
  return images_.gather(context_.rng[options_.stream].integers(count, images_.count()), options_.range);
}

State Batches::state() {
  position_.reset();
  return {{"cursor", cursor_}};
}

std::vector<uint8_t> to_bytes(const Tensor& images, const PixelRange& range) {
  const std::vector<Real> values = images.to_host();
  std::vector<uint8_t> bytes(values.size());
  const double scale = 255 / (range.high - range.low);
  std::transform(values.begin(), values.end(), bytes.begin(), [&](Real value) {
    return static_cast<uint8_t>(std::lround(std::clamp((value - range.low) * scale, 0.0, 255.0)));
  });
  return bytes;
}

}  // namespace tobogan
