// The convolutions through cuDNN: its fast kernels want [image][row][column][channel], so operands are copied into its
// layout and results out of it, by the hand-written move.  The copies are a part of what --device cudnn costs.
#include <algorithm>
#include <memory>
#include <optional>

#include "kernels/conv_epilogue.h"
#include "kernels/cudnn/handles.h"
#include "kernels/cudnn/library.h"
#include "kernels/elementwise.h"

namespace tobogan::kernels {
namespace {

// The rows (or columns) that both our image and the library's have: ours `from` and on are its `at` and on.
struct Shared {
  int from, at, count;
};

Shared shared_rows(int ours, int pad, int theirs, int library_pad) {
  const int shift = pad - library_pad, from = std::max(0, -shift);
  return {from, from + shift, std::max(0, std::min(ours, theirs - shift) - from)};
}

// An image batch in both layouts.  A weight is one as well: its taps are pixels, its small channels images.
struct Images {
  int batch, channels;
  int h, w, library_h, library_w;
  Shared rows, columns;

  int64_t our_count() const { return int64_t{h} * w * batch * channels; }
  int64_t library_count() const { return int64_t{library_h} * library_w * batch * channels; }
  int64_t shared_count() const { return int64_t{rows.count} * columns.count * batch * channels; }
  bool same_layout() const { return h == library_h && w == library_w && (batch == 1 || h * w == 1); }

  Extents extents() const { return {{rows.count, columns.count, batch, channels}}; }
  Strides ours() const { return {{int64_t{w} * batch * channels, int64_t{batch} * channels, channels, 1}}; }
  Strides theirs() const {
    return {{int64_t{library_w} * channels, channels, int64_t{library_h} * library_w * channels, 1}};
  }
  int64_t our_start() const { return (int64_t{rows.from} * w + columns.from) * batch * channels; }
  int64_t library_start() const { return (int64_t{rows.at} * library_w + columns.at) * channels; }
};

Images whole(int batch, int channels, int h, int w) {
  return {batch, channels, h, w, h, w, {0, 0, h}, {0, 0, w}};
}
Images big_of(const ConvDims& d, const ConvDims& library) {
  return {d.batch,
          d.big_channels,
          d.big_h,
          d.big_w,
          library.big_h,
          library.big_w,
          shared_rows(d.big_h, d.pad_top, library.big_h, library.pad_top),
          shared_rows(d.big_w, d.pad_left, library.big_w, library.pad_left)};
}
Images small_of(const ConvDims& d) {
  return whole(d.batch, d.small_channels, d.small_h, d.small_w);
}
Images weight_of(const ConvDims& d) {
  return whole(d.small_channels, d.big_channels, d.kernel_h, d.kernel_w);
}

// Scratch in the library's layout, where that is not ours.
class Converted {
 public:
  Converted(Cudnn on, const Images& images) : on_(on), images_(images) {
    if (!images.same_layout())
      scratch_ = std::make_unique<CudaScratch<Real>>(*on.pool, static_cast<size_t>(images.library_count()));
  }

 protected:
  Cudnn on_;
  Images images_;
  std::unique_ptr<CudaScratch<Real>> scratch_;
};

// An operand for the library; padding that is a part of it is zero.
class Operand : Converted {
 public:
  Operand(Cudnn on, const Images& images, const Real* ours) : Converted(on, images), ours_(ours) {
    if (!scratch_) return;
    if (images.shared_count() < images.library_count()) fill(on, images.library_count(), 0, scratch_->data());
    if (images.shared_count() == 0) return;
    move(on, images.extents(), ours + images.our_start(), images.ours(), scratch_->data() + images.library_start(),
         images.theirs());
  }
  const Real* data() const { return scratch_ ? scratch_->data() : ours_; }

 private:
  const Real* ours_;
};

// A result of the library; deliver() brings it to us.  Pixels that the library does not have are zero.
class Result : Converted {
 public:
  Result(Cudnn on, const Images& images, Real* ours) : Converted(on, images), ours_(ours) {}
  Real* data() const { return scratch_ ? scratch_->data() : ours_; }
  void deliver() const {
    if (!scratch_) return;
    if (images_.shared_count() < images_.our_count()) fill(on_, images_.our_count(), 0, ours_);
    if (images_.shared_count() == 0) return;
    move(on_, images_.extents(), scratch_->data() + images_.library_start(), images_.theirs(),
         ours_ + images_.our_start(), images_.ours());
  }

 private:
  Real* ours_;
};

// The sizes as cuDNN takes them, or nothing where the hand-written kernel has to do it: nothing to compute, or no
// algorithm of the library's.
std::optional<ConvDims> for_library(Cudnn on, const ConvDims& d, ConvPass pass) {
  for (const int size :
       {d.batch, d.big_channels, d.small_channels, d.big_h, d.big_w, d.small_h, d.small_w, d.kernel_h, d.kernel_w}) {
    if (size == 0) return {};
  }
  const ConvDims library = library_dims(d);
  if (library_has(on, library, pass)) return library;
  ++on.handles->left_to_us;
  return {};
}

}  // namespace

void conv2d(Cudnn on, const ConvDims& dims, const Real* big, const Real* weight, Real* small,
            const ConvEpilogue& epilogue) {
  const auto library = for_library(on, dims, ConvPass::kSmall);
  if (!library) return conv2d(Cuda(on), dims, big, weight, small, epilogue);
  const Operand x(on, big_of(dims, *library), big), w(on, weight_of(dims), weight);
  const Result y(on, small_of(dims), small);
  library_conv2d(on, *library, x.data(), w.data(), y.data());
  y.deliver();
  const Images out = small_of(dims);
  apply_epilogue(on, epilogue, out.our_count() / out.channels, out.channels, small);
}

void conv_transpose2d(Cudnn on, const ConvDims& dims, const Real* small, const Real* weight, Real* big,
                      const ConvEpilogue& epilogue) {
  const auto library = for_library(on, dims, ConvPass::kBig);
  if (!library) return conv_transpose2d(Cuda(on), dims, small, weight, big, epilogue);
  const Operand y(on, small_of(dims), small), w(on, weight_of(dims), weight);
  const Result x(on, big_of(dims, *library), big);
  library_conv_transpose2d(on, *library, y.data(), w.data(), x.data());
  x.deliver();
  const Images out = big_of(dims, *library);
  apply_epilogue(on, epilogue, out.our_count() / out.channels, out.channels, big);
}

void conv2d_weight(Cudnn on, const ConvDims& dims, const Real* big, const Real* small, Real* weight) {
  const auto library = for_library(on, dims, ConvPass::kWeight);
  if (!library) return conv2d_weight(Cuda(on), dims, big, small, weight);
  const Operand x(on, big_of(dims, *library), big), y(on, small_of(dims), small);
  const Result w(on, weight_of(dims), weight);
  library_conv2d_weight(on, *library, x.data(), y.data(), w.data());
  w.deliver();
}

}  // namespace tobogan::kernels
