// Twins of PTX instructions: asynchronous copies, ldmatrix and the tensor cores' mma.sync, with the fragment layouts of
// the PTX manual, so that a wrong layout gives wrong results here as it would there.
#pragma once
#include <cuda_emulator/warp.h>

#include <bit>

namespace cuda_emulator {

// cp.async with the last `zero_bytes` of `bytes` (4, 8 or 16) written as zeros.  A copy may take place at any time
// between this call and the wait; the thread order chosen decides when (BlockRunner::copy_async).
void copy_async(void* to, const void* from, size_t bytes, size_t zero_bytes);
void commit_copies();
void wait_for_copies(int groups_left);

// Tells the profiler, if there is one, of a warp's mma.sync.
void record_tensor_op(int multiply_adds, bool bf16);

#ifdef CUDA_EMULATOR_PROFILE
void load_shared_row(void* to, const void* row);  // one access of 16 bytes for the profiler, however it is compiled
#else
inline void load_shared_row(void* to, const void* row) { std::memcpy(to, row, 16); }
#endif

// cvt.rna.tf32.f32: 10 bits of mantissa, ties away from zero.
inline uint32_t round_to_tf32(float x) {
  return (std::bit_cast<uint32_t>(x) + 0x1000u) & 0xffffe000u;
}

struct MmaOperands {
  float* d;           // four
  const uint32_t* a;  // four
  const uint32_t* b;  // two
};

// D (16 x 8) += A (16 x depth) B (depth x 8).  element(word, i) is value i of a 32-bit operand: TF32 holds one, bf16
// two. Lane = 4 group + quad: A's words are (group, quad), (group + 8, quad), then the same in the right half of the
// depth; B's are (quad, group) in the upper and lower half; D's are (group, 2 quad), +1, and group + 8.
template <int kPerWord, class Element>
void mma_all(void** operands, Element element) {
  constexpr int kDepth = 8 * kPerWord;
  float a[16][kDepth], b[kDepth][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& m = *static_cast<const MmaOperands*>(operands[lane]);
    const int group = lane >> 2, quad = lane & 3;
    for (int i = 0; i < kPerWord; ++i)
      for (int half = 0; half < 2; ++half) {
        const int k = quad * kPerWord + i + half * kDepth / 2;
        a[group][k] = element(m.a[2 * half], i);
        a[group + 8][k] = element(m.a[2 * half + 1], i);
        b[k][group] = element(m.b[half], i);
      }
  }
  for (int lane = 0; lane < 32; ++lane) {
    float* d = static_cast<const MmaOperands*>(operands[lane])->d;
    for (int i = 0; i < 4; ++i) {
      const int row = (lane >> 2) + i / 2 * 8, column = (lane & 3) * 2 + i % 2;
      float sum = 0;
      for (int k = 0; k < kDepth; ++k) sum += a[row][k] * b[k][column];
      d[i] += sum;
    }
  }
}

// Operands that were not rounded lose their low bits, as in the hardware.
inline void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Location where) {
  MmaOperands operands{d, a, b};
  auto all = [](uint32_t, void** lanes) {
    mma_all<1>(lanes, [](uint32_t word, int) { return std::bit_cast<float>(word & 0xffffe000u); });
  };
  if (thread_state.lane == 0) record_tensor_op(16 * 8 * 8, false);
  warp_collective(~0u, Collective::kMma, &operands, all, "mma.sync", where);
}

inline void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Location where) {
  MmaOperands operands{d, a, b};
  auto all = [](uint32_t, void** lanes) {
    mma_all<2>(lanes, [](uint32_t word, int i) { return std::bit_cast<float>(i ? word & 0xffff0000u : word << 16); });
  };
  if (thread_state.lane == 0) record_tensor_op(16 * 8 * 16, true);
  warp_collective(~0u, Collective::kMma, &operands, all, "mma.sync", where);
}

// Eight rows of 16 bytes (8 x 8 values of 16 bits) per matrix; lane 8 i + r brings the address of row r of matrix i.
struct Ldmatrix {
  uint32_t row[4];
  uint32_t result[4];
};

// Lane l gets of each matrix the two values (l / 4, 2 (l % 4)) and its right neighbour; transposed, of the matrix's
// transpose.
template <int kMatrices, bool kTransposed>
void ldmatrix(uint32_t (&result)[kMatrices], const void* row, Location where) {
  if (reinterpret_cast<uintptr_t>(row) % 16) device_error("ldmatrix: a row's address is not a multiple of 16", where);
  Ldmatrix operands{};
  // Here and not when all have come: the checkers must see which lane reads what.
  if (thread_state.lane < kMatrices * 8) load_shared_row(operands.row, row);
  auto all = [](uint32_t, void** lanes) {
    auto value = [&](int matrix, int r, int c) {
      return static_cast<const Ldmatrix*>(lanes[matrix * 8 + r])->row[c / 2] >> (c % 2 * 16) & 0xffffu;
    };
    for (int lane = 0; lane < 32; ++lane)
      for (int m = 0; m < kMatrices; ++m) {
        const int r = lane / 4, c = lane % 4 * 2;
        static_cast<Ldmatrix*>(lanes[lane])->result[m] =
            kTransposed ? value(m, c, r) | value(m, c + 1, r) << 16 : value(m, r, c) | value(m, r, c + 1) << 16;
      }
  };
  warp_collective(~0u, Collective::kLdmatrix, &operands, all, "ldmatrix", where);
  for (int m = 0; m < kMatrices; ++m) result[m] = operands.result[m];
}

}  // namespace cuda_emulator
