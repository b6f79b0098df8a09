// Rows, columns and images by index.  Sums are made by one thread each, in order.
#include "kernels/cuda/divider.cuh"
#include "kernels/cuda/flat.cuh"
#include "kernels/gather.h"

namespace tobogan::kernels {
namespace {

constexpr int kBlock = 128;

__global__ void __launch_bounds__(kFlatBlock) gather_rows_kernel(int64_t count, bool vector, Divider columns,
                                                                 const float* table, const int32_t* index, float* y) {
  const FlatRuns runs(count, vector);
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    if (vector) {
      if (!runs.whole(k)) continue;
      const int64_t row = columns.quotient(runs.at(k)), column = runs.at(k) - row * columns.divisor();
      store_vector_four(y + runs.at(k), load_vector_four(table + index[row] * columns.divisor() + column));
      continue;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (!runs.has(k, j)) continue;
      const int64_t row = columns.quotient(runs.at(k, j)), column = runs.at(k, j) - row * columns.divisor();
      y[runs.at(k, j)] = table[index[row] * columns.divisor() + column];
    }
  }
}

// A warp makes 32 columns of an entry: it looks at 32 indices at a time and adds the rows that are the entry's.
__global__ void __launch_bounds__(kBlock)
    scatter_add_rows_kernel(int64_t rows, int64_t columns, int64_t entries, int64_t strips, const float* y,
                            const int32_t* index, float* table) {
  const int lane = int(threadIdx.x) % 32;
  const int64_t warp = int64_t{blockIdx.x} * (kBlock / 32) + threadIdx.x / 32;
  const int64_t entry = warp / strips, column = warp % strips * 32 + lane;
  if (entry >= entries) return;  // the whole warp
  float sum = 0;
  for (int64_t first = 0; first < rows; first += 32) {
    const bool hit = first + lane < rows && index[first + lane] == entry;
    for (unsigned hits = __ballot_sync(kFullWarp, hit); hits != 0; hits &= hits - 1) {
      const int64_t row = first + __ffs(int(hits)) - 1;
      if (column < columns) sum += y[row * columns + column];
    }
  }
  if (column < columns) table[entry * columns + column] = sum;
}

__global__ void __launch_bounds__(kBlock)
    pick_columns_kernel(int64_t rows, int64_t columns, const float* x, const int32_t* index, float* y) {
  const int64_t row = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (row < rows) y[row] = x[row * columns + index[row]];
}

__global__ void __launch_bounds__(kFlatBlock)
    place_columns_kernel(int64_t count, bool vector, Divider columns, const float* y, const int32_t* index, float* x) {
  const FlatRuns runs(count, vector);
#pragma unroll
  for (int k = 0; k < FlatRuns::kRuns; ++k) {
    Four four{};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      if (!runs.has(k, j)) continue;
      const int64_t row = columns.quotient(runs.at(k, j)), column = runs.at(k, j) - row * columns.divisor();
      if (index[row] == column) four.v[j] = y[row];
    }
    runs.store(x, k, four);
  }
}

__global__ void __launch_bounds__(kBlock)
    gather_labels_kernel(int64_t count, const int32_t* x, const int32_t* index, int32_t* y) {
  const int64_t i = int64_t{blockIdx.x} * kBlock + threadIdx.x;
  if (i < count) y[i] = x[index[i]];
}

// A transposition of (image, channel) planes by pixels, in tiles of 32 planes x 32 pixels: a thread reads four pixels
// of a plane.  Lines of 36 bytes keep the columns of a tile in different banks.
constexpr int kTile = 32, kImageBlock = 256;

__global__ void __launch_bounds__(kImageBlock)
    gather_images_kernel(int64_t planes, int channels, int64_t area, bool vector, unsigned plane_tiles, float scale,
                         float shift, const uint8_t* pixels, const int32_t* index, float* y) {
  SHARED(uint8_t, tile, [kTile][kTile + 4]);
  const int64_t first_plane = int64_t{blockIdx.x % plane_tiles} * kTile;
  const int64_t first_pixel = int64_t{blockIdx.x / plane_tiles} * kTile;
  const int thread = int(threadIdx.x);
  {
    const int line = thread / 8, at = thread % 8 * 4;
    const int64_t plane = first_plane + line, pixel = first_pixel + at;
    if (plane < planes && pixel < area) {
      const int64_t image = plane / channels, channel = plane - image * channels;
      const uint8_t* source = pixels + (index[image] * int64_t{channels} + channel) * area + pixel;
      if (vector) {
        const uchar4 four = load_vector<uchar4>(source);
        store_vector(&tile[line][at], four);
      } else {
        for (int j = 0; j < 4; ++j) {
          if (pixel + j < area) tile[line][at + j] = source[j];
        }
      }
    }
  }
  __syncthreads();
  const int lane = thread % 32;
  const int64_t plane = first_plane + lane;
  for (int at = thread / 32; at < kTile; at += kImageBlock / 32) {
    const int64_t pixel = first_pixel + at;
    if (plane < planes && pixel < area) y[pixel * planes + plane] = fmaf(scale, float(tile[lane][at]), shift);
  }
}

unsigned blocks_for(int64_t count) {
  return ceil_div(size_t(count), kBlock);
}

}  // namespace

void gather_rows(Cuda on, int64_t rows, int64_t columns, const Real* table, const int32_t* index, Real* y) {
  const int64_t count = rows * columns;
  if (count == 0) return;
  launch_flat(on, count, gather_rows_kernel, count, columns % 4 == 0 && aligned({table, y}), Divider(columns), table,
              index, y);
}

void scatter_add_rows(Cuda on, int64_t rows, int64_t columns, int64_t entries, const Real* y, const int32_t* index,
                      Real* table) {
  if (entries * columns == 0) return;
  const int64_t strips = ceil_div(size_t(columns), 32);
  Launch<kBlock>{.grid = blocks_for(32 * entries * strips), .stream = on.stream}(scatter_add_rows_kernel, rows, columns,
                                                                                 entries, strips, y, index, table);
}

void pick_columns(Cuda on, int64_t rows, int64_t columns, const Real* x, const int32_t* index, Real* y) {
  if (rows == 0) return;
  Launch<kBlock>{.grid = blocks_for(rows), .stream = on.stream}(pick_columns_kernel, rows, columns, x, index, y);
}

void place_columns(Cuda on, int64_t rows, int64_t columns, const Real* y, const int32_t* index, Real* x) {
  const int64_t count = rows * columns;
  if (count == 0) return;
  launch_flat(on, count, place_columns_kernel, count, aligned({x}), Divider(columns), y, index, x);
}

void gather_labels(Cuda on, int64_t count, const int32_t* x, const int32_t* index, int32_t* y) {
  if (count == 0) return;
  Launch<kBlock>{.grid = blocks_for(count), .stream = on.stream}(gather_labels_kernel, count, x, index, y);
}

void gather_images(Cuda on, const ImageDims& dims, Real scale, Real shift, const uint8_t* pixels, const int32_t* index,
                   Real* y) {
  const int64_t area = int64_t{dims.height} * dims.width, planes = dims.count * dims.channels;
  if (area * planes == 0) return;
  const bool vector = area % 4 == 0 && reinterpret_cast<uintptr_t>(pixels) % 4 == 0;
  const unsigned plane_tiles = ceil_div(size_t(planes), kTile);
  Launch<kImageBlock>{.grid = plane_tiles * ceil_div(size_t(area), kTile), .stream = on.stream}(
      gather_images_kernel, planes, dims.channels, area, vector, plane_tiles, scale, shift, pixels, index, y);
}

}  // namespace tobogan::kernels
