// The loop of nearly every kernel here: a flat range in chunks, and rows of parameters that repeat along it.
//
// A matrix with a row of parameters (bias, mean, gamma) is walked as one flat range whatever its number of columns: the
// row is laid out repeated in a small buffer, so a matrix of 3 columns runs at the speed of one of 300.
//
// Loops that may work in place carry `#pragma GCC ivdep`: each iteration touches its own element only.
#pragma once
#include <algorithm>
#include <cstring>

#include "kernels/cpu/threads.h"
#include "kernels/device.h"

namespace tobogan::kernels {

// Elements of a chunk: a few microseconds of work; less runs inline.  A multiple of kPiece.
constexpr int64_t kGrain = 16384;
// Elements that a kernel treats at a time where it needs a buffer.
constexpr int64_t kPiece = 512;

// body(begin, end) over 0..count in pieces of `grain`.  Each piece runs on a copy of the body: what it captured by
// value is then seen not to change when the loop writes, and stays in registers.
template <class Body>
void for_chunks(Cpu on, int64_t count, int64_t grain, const Body& body) {
  on.threads->for_range(count, grain, [&body](int64_t begin, int64_t end) {
    const Body own = body;
    own(begin, end);
  });
}

// body(begin, end) over 0..count in chunks.
template <class Body>
void for_elements(Cpu on, int64_t count, const Body& body) {
  for_chunks(on, count, kGrain, body);
}

// body(begin, end) over 0..rows in chunks of about kGrain elements.
template <class Body>
void for_rows(Cpu on, int64_t rows, int64_t row_elements, const Body& body) {
  for_chunks(on, rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, row_elements)), body);
}

// body(begin, size) over begin..end in pieces of at most kPiece elements.
template <class Body>
void for_pieces(int64_t begin, int64_t end, const Body& body) {
  for (; begin < end; begin += kPiece) body(begin, std::min(kPiece, end - begin));
}

// A row of parameters as a matrix of its repetitions sees it, in flat order.
class RepeatedRow {
 public:
  // row[0..columns-1], or `value` everywhere where row is null.  `length`: how many elements the caller will walk.
  RepeatedRow(const Real* row, int64_t columns, int64_t length, Real value = 0)
      : row_(row), columns_(row ? columns : 1), buffered_(columns_ <= kPiece) {
    if (!buffered_) return;
    const int64_t size = columns_ + std::min(length, kPiece);
    if (row == nullptr) {
      std::fill_n(buffer_, size, value);
      return;
    }
    std::copy_n(row, columns, buffer_);
    for (int64_t filled = columns; filled < size;) {  // doubling: what is there stays a whole number of rows
      const int64_t more = std::min(filled, size - filled);
      std::copy_n(buffer_, more, buffer_ + filled);
      filled += more;
    }
  }

  // The parameters of elements flat..flat+size-1, valid until the next call.  REQUIRES: size <= kPiece.
  const Real* at(int64_t flat, int64_t size) {
    const int64_t column = columns_ == 1 ? 0 : flat % columns_;
    if (buffered_) return buffer_ + column;
    if (column + size <= columns_) return row_ + column;
    const int64_t first = columns_ - column;
    std::copy_n(row_ + column, first, buffer_);
    std::copy_n(row_, size - first, buffer_ + first);
    return buffer_;
  }

 private:
  const Real* row_;
  int64_t columns_;
  bool buffered_;
  alignas(64) Real buffer_[2 * kPiece];
};

}  // namespace tobogan::kernels
