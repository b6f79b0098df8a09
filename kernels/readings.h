// Numbers that a training step leaves behind, without the host having to wait for them.
#pragma once
#include <span>

#include "kernels/device.h"

namespace tobogan::kernels {

inline constexpr size_t kMostReadings = 16;  // in one row

// table[counter[0] % rows][i] = values[i][0] for all i, then counter[0] += 1.
// table: rows x values.size().  REQUIRES: 1 <= values.size() <= kMostReadings.
void append_row(Cpu on, std::span<const Real* const> values, int64_t rows, Real* table, uint64_t* counter);
void append_row(Cuda on, std::span<const Real* const> values, int64_t rows, Real* table, uint64_t* counter);

}  // namespace tobogan::kernels
