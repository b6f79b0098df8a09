// What a profiler on a GPU says about memory access, counted without one: it follows from addresses alone.
//
// Link with the library cuda_emulator_profile and compile the kernels with its options.  Lanes of a warp that pass the
// same instruction for the same time since the last barrier make one request.  A request to global memory costs its
// distinct 32-byte sectors; one to shared memory costs, for each group of 32, 16 or 8 lanes (accesses of 4, 8 or 16
// bytes), as many wavefronts as its busiest bank has distinct words.
//
// One block in the middle of each grid is looked at and stands for all, unless all are asked for.  Times, caches,
// registers and occupancy are beyond this.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace cuda_emulator::profile {

struct Options {
  bool all_blocks = false;
  // Run no blocks but those looked at: a program of any size is profiled in seconds, and computes nonsense.  For
  // kernels whose addresses and branches do not depend on values.
  bool skip_others = false;
  std::string addr2line = "addr2line";  // binutils' program that finds source lines
};

// What one source line did; sums over the blocks looked at.
struct Access {
  std::string kernel, place;  // place: file:line
  bool shared = false, store = false;
  unsigned bytes = 0;   // of one lane
  double requests = 0;  // of warps
  double lanes = 0;
  double units = 0;  // sectors or wavefronts
  double ideal = 0;  // the least that these lanes' bytes could cost
};

// What one launch did, or several; the blocks looked at stand for all.
struct Counts {
  double blocks = 0, threads = 0;
  double sectors = 0, ideal_sectors = 0;        // of global memory, 32 bytes each
  double wavefronts = 0, ideal_wavefronts = 0;  // of shared memory
  double fma = 0;                               // fmaf calls of threads
  double tensor_tf32 = 0, tensor_bf16 = 0;      // multiply-adds of mma.sync
};

struct Kernel : Counts {  // the sum of its launches
  std::string name;
  uint64_t launches = 0;
};

struct Launch : Counts {
  size_t kernel = 0;  // which of Report::kernels
};

struct Report {
  std::vector<Kernel> kernels;   // in order of first launch
  std::vector<Launch> sequence;  // in order
  std::vector<Access> accesses;
  uint64_t launches = 0;
};

// REQUIRES: nothing runs on the device.
void start(const Options& options = {});
Report stop();

// The report as two tables; accesses that cost more than 1.05 of the ideal are marked.
std::string to_text(const Report& report);

}  // namespace cuda_emulator::profile
