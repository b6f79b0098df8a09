// How many rows there are is counted on the host too, so that it need not ask.
#include "engine/readings.h"

#include <algorithm>

#include "kernels/readings.h"

namespace tobogan {
namespace {

int64_t numbers_in(int columns, int64_t capacity) {
  check(columns >= 1 && columns <= static_cast<int>(kernels::kMostReadings), "Readings: expected 1 to ",
        kernels::kMostReadings, " columns, got ", columns);
  check(capacity >= 1, "Readings: expected a capacity of at least 1, got ", capacity);
  return columns * capacity;
}

}  // namespace

Readings::Readings(Context& context, int columns, int64_t capacity)
    : context_(context),
      columns_(columns),
      capacity_(capacity),
      table_(numbers_in(columns, capacity), context.device),
      counter_(1, context.device) {
  counter_.set(std::vector<uint64_t>{0});
}

void Readings::add(std::initializer_list<Tensor> scalars) {
  check(static_cast<int>(scalars.size()) == columns_, "Readings: expected ", columns_, " numbers, got ",
        scalars.size());
  std::vector<const Real*> values;
  for (const Tensor& scalar : scalars) {
    check(scalar.count() == 1, "Readings: expected a scalar, got shape ", scalar.shape());
    values.push_back(scalar.data());
  }
  dispatch(context_.device,
           [&](auto on) { kernels::append_row(on, values, capacity_, table_.data(), counter_.data()); });
  ++written_;
  context_.at_replay([this] { ++written_; });
}

std::vector<std::vector<Real>> Readings::take() {
  std::vector<std::vector<Real>> rows;
  const std::vector<Real> table = written_ > taken_ ? table_.to_host() : std::vector<Real>();
  for (int64_t row = std::max(taken_, written_ - capacity_); row < written_; ++row) {
    const auto begin = table.begin() + row % capacity_ * columns_;
    rows.emplace_back(begin, begin + columns_);
  }
  taken_ = written_;
  return rows;
}

}  // namespace tobogan
