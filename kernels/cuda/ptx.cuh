// All inline PTX of the project: one function per instruction, with a twin that runs on the emulator.
//
// Fragments, for lane = 4 group + quad (PTX manual, mma.m16n8k8 and m16n8k16): a holds (group, quad), (group + 8, quad)
// and the same two in the right half of the depth; b holds (quad, group) in the upper and lower half; d holds
// (group, 2 quad), its right neighbour, and the two at group + 8.  A bf16 word is two neighbours along the depth, the
// first in its low half.
#pragma once
#include "kernels/cuda/device.cuh"
#ifdef CUDA_EMULATOR
#include <cuda_emulator/ptx.h>
#endif

namespace tobogan::kernels::ptx {

#ifndef CUDA_EMULATOR
__device__ __forceinline__ unsigned shared_address(const void* p) {
  return unsigned(__cvta_generic_to_shared(p));
}
#endif

// x as the tensor cores take it in TF32, of which they read 10 bits of mantissa and forget the others: scaled so that
// what they forget is half a last place on average, as if x had been rounded.  The error is at most 0.7 last places (of
// true rounding 0.5), TF32's own numbers stay what they are, and so do NaN and infinity.  One instruction; cvt.rna.tf32
// is three or four on sm_90.
__device__ __forceinline__ uint32_t to_tf32(float x) {
  constexpr float kHalf = 0.34f / 1024;  // of a last place, divided by the mean mantissa
  return __float_as_uint(x * (1 + kHalf));
}

// Two floats rounded to nearest even as bf16, the first in the low half.
__device__ __forceinline__ uint32_t pack_bf16(float low, float high) {
#ifdef CUDA_EMULATOR
  return __bfloat16_as_ushort(__nv_bfloat16(low)) | uint32_t(__bfloat16_as_ushort(__nv_bfloat16(high))) << 16;
#else
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#endif
}

// d (16 x 8) += a (16 x 8) b (8 x 8), TF32 operands, fp32 sums.
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef CUDA_EMULATOR
  cuda_emulator::mma_m16n8k8_tf32(d, a, b, {__FILE__, __LINE__});
#else
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// d (16 x 8) += a (16 x 16) b (16 x 8), bf16 operands, fp32 sums.
__device__ __forceinline__ void mma_m16n8k16_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#ifdef CUDA_EMULATOR
  cuda_emulator::mma_m16n8k16_bf16(d, a, b, {__FILE__, __LINE__});
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// Two or four 8 x 8 matrices of 16-bit values from shared memory.  Lane 8 i + r brings the address of row r (16 bytes,
// aligned so) of matrix i; each lane gets of each matrix the word (group, 2 quad .. 2 quad + 1), with _trans of the
// matrix's transpose.  For ldmatrix_x2 the addresses of lanes 16 to 31 must be valid, but are not used.
__device__ __forceinline__ void ldmatrix_x2(uint32_t (&words)[2], const void* row) {
#ifdef CUDA_EMULATOR
  cuda_emulator::ldmatrix<2, false>(words, row, {__FILE__, __LINE__});
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(words[0]), "=r"(words[1])
               : "r"(shared_address(row))
               : "memory");
#endif
}
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&words)[2], const void* row) {
#ifdef CUDA_EMULATOR
  cuda_emulator::ldmatrix<2, true>(words, row, {__FILE__, __LINE__});
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(words[0]), "=r"(words[1])
               : "r"(shared_address(row))
               : "memory");
#endif
}
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&words)[4], const void* row) {
#ifdef CUDA_EMULATOR
  cuda_emulator::ldmatrix<4, false>(words, row, {__FILE__, __LINE__});
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
#endif
}
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&words)[4], const void* row) {
#ifdef CUDA_EMULATOR
  cuda_emulator::ldmatrix<4, true>(words, row, {__FILE__, __LINE__});
#else
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(shared_address(row))
               : "memory");
#endif
}

// Starts a copy of kBytes (4, 8 or 16) from global to shared memory, both aligned to kBytes; 16 bytes go past L1.
// Only the first `bytes_read` bytes are read, the others become zero (0: `from` must still be a valid pointer).
template <int kBytes>
__device__ __forceinline__ void cp_async(void* to, const void* from, int bytes_read = kBytes) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
#ifdef CUDA_EMULATOR
  cuda_emulator::copy_async(to, from, kBytes, size_t(kBytes - bytes_read));
#else
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes_read)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_address(to)), "l"(from), "n"(kBytes),
                 "r"(bytes_read)
                 : "memory");
  }
#endif
}

// Closes a group of the copies started so far.
__device__ __forceinline__ void cp_async_commit() {
#ifdef CUDA_EMULATOR
  cuda_emulator::commit_copies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits for this thread's groups but the newest kGroupsLeft.  Other threads' copies need a barrier, too.
template <int kGroupsLeft>
__device__ __forceinline__ void cp_async_wait() {
#ifdef CUDA_EMULATOR
  cuda_emulator::wait_for_copies(kGroupsLeft);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroupsLeft) : "memory");
#endif
}

}  // namespace tobogan::kernels::ptx
