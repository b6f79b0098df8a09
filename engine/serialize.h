// Checkpoints: named tensors and counters in a safetensors file, which Python reads and writes too.
//
// Layout (little-endian): 8 bytes length of the header, the header in JSON {name: {dtype, shape, data_offsets}}, the
// data. Tensors are stored in API order ({N, C, H, W}), F32 or, in the double build, F64; counters as U64 of shape [n].
#pragma once
#include <filesystem>
#include <functional>
#include <map>

#include "engine/state.h"

namespace tobogan {

using Metadata = std::map<std::string, std::string>;

// Writes the state beside `path` and renames it there: the file is the old one or the whole new one.
// Throws Error naming the file.
void save(const std::filesystem::path& path, const State& state, const Metadata& metadata = {});

// Fills the values of `state` from the file.  Every name must be there with its shape; names that are not asked for are
// ignored.  Nothing is changed unless all fit and `accept`, if it is given, lets the metadata pass.  Returns the
// metadata.  Throws Error naming the file and what is wrong, and what `accept` throws.
Metadata load(const std::filesystem::path& path, const State& state,
              const std::function<void(const Metadata&)>& accept = {});

// A tensor in host memory.
struct HostTensor {
  Shape shape;
  std::vector<Real> values;  // in API order
};
// All tensors of a file of at most four axes (F32, F64, I32, I64, U64 or U8, converted to Real).
std::map<std::string, HostTensor> read_tensors(const std::filesystem::path& path);

}  // namespace tobogan
