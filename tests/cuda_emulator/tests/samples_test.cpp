// The sample kernels against plain loops in double precision, at sizes that are no multiple of any tile.  Run in every
// mode of the emulator: no difference and no report may come.
#include "tests/cuda_emulator/tests/samples.h"

#include <cuda_bf16.h>

#include <algorithm>
#include <tuple>

#include "tests/cuda_emulator/tests/support.h"

namespace {
using namespace emulator_test;

void test_bias_and_statistics(int batch, int channels, int pixels) {
  const Stream stream;
  const auto x = normal_values(size_t(batch) * channels * pixels), bias = normal_values(size_t(channels), 8);
  const Array<float> dx(x), dbias(bias), dy(x.size()), dmean(bias.size()), dvariance(bias.size());
  samples::bias_leaky_relu(dy, dx, dbias, batch, channels, pixels, 0.2f, stream);
  samples::channel_statistics(dmean, dvariance, dx, batch, channels, pixels, stream);
  std::vector<float> y(x.size()), mean(bias.size()), variance(bias.size());
  std::vector<double> sums(bias.size()), squares(bias.size());
  auto channel = [&](size_t i) { return i / size_t(pixels) % size_t(channels); };
  const double count = double(batch) * pixels;
  for (size_t i = 0; i < x.size(); ++i) {
    const float v = x[i] + bias[channel(i)];
    y[i] = v > 0 ? v : 0.2f * v;
    sums[channel(i)] += x[i] / count;
  }
  for (size_t i = 0; i < x.size(); ++i) squares[channel(i)] += std::pow(x[i] - sums[channel(i)], 2) / count;
  for (size_t c = 0; c < bias.size(); ++c) mean[c] = float(sums[c]), variance[c] = float(squares[c]);
  expect_near(dy.read(stream), y, 1e-6f, "bias_leaky_relu");
  expect_near(dmean.read(stream), mean, 1e-5f, "channel mean");
  expect_near(dvariance.read(stream), variance, 1e-5f, "channel variance");
}

void test_matmul(int m, int n, int k) {
  const Stream stream;
  auto a = normal_values(size_t(m) * k), b = normal_values(size_t(k) * n, 8);
  auto product = [&] {
    std::vector<float> c(size_t(m) * n);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j) {
        double sum = 0;
        for (int l = 0; l < k; ++l) sum += double(a[size_t(i) * k + l]) * b[size_t(l) * n + j];
        c[size_t(i) * n + j] = float(sum);
      }
    return c;
  };
  const Array<float> da(a), db(b), dc(size_t(m) * n);
  const auto c = product();
  samples::matmul_ffma(dc, da, db, m, n, k, stream);
  expect_near(dc.read(stream), c, 1e-5f, "matmul_ffma");
  samples::matmul_tf32(dc, da, db, m, n, k, stream);
  expect_near(dc.read(stream), c, 1e-2f, "matmul_tf32");
  if (n % 8 || k % 8) return;
  std::vector<__nv_bfloat16> a16, b16;
  for (float& v : a) a16.push_back(__float2bfloat16(v)), v = __bfloat162float(a16.back());
  for (float& v : b) b16.push_back(__float2bfloat16(v)), v = __bfloat162float(b16.back());
  const Array<__nv_bfloat16> da16(a16), db16(b16);
  samples::matmul_bf16(dc, da16.data(), db16.data(), m, n, k, stream);
  expect_near(dc.read(stream), product(), 1e-5f, "matmul_bf16");  // exact products: only the sums round
}

void test_upsampling_conv(int batch, int in, int out, int h, int w) {
  const Stream stream;
  const auto x = normal_values(size_t(batch) * in * h * w), weight = normal_values(size_t(in) * out * 16, 8);
  const Array<float> dx(x), dweight(weight), dy(size_t(batch) * out * h * w * 4);
  samples::upsampling_conv(dy, dx, dweight, batch, in, out, h, w, stream);
  std::vector<float> y(dy.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const int ix = int(i) % w, iy = int(i) / w % h, channel = int(i) / w / h % in, image = int(i) / w / h / in;
    for (int e = 0; e < out * 16; ++e) {
      const int o = e / 16, oy = 2 * iy - 1 + e / 4 % 4, ox = 2 * ix - 1 + e % 4;
      if (oy >= 0 && oy < 2 * h && ox >= 0 && ox < 2 * w)
        y[((size_t(image) * out + o) * 2 * h + oy) * 2 * w + ox] += x[i] * weight[size_t(channel) * out * 16 + e];
    }
  }
  expect_near(dy.read(stream), y, 1e-5f, "upsampling_conv");
}

void test_random(size_t count) {
  const Stream stream;
  const auto x = normal_values(count);
  const Array<float> dx(x), dy(count);
  const Array<uint8_t> dkeep(count);
  samples::dropout(dy, dkeep, dx, count, 0.3f, 1234, stream);
  const auto keep = dkeep.read(stream);
  std::vector<float> y(count);
  double kept = 0;
  for (size_t i = 0; i < count; ++i) y[i] = keep[i] ? x[i] / 0.7f : 0, kept += keep[i] / double(count);
  expect_near(dy.read(stream), y, 1e-6f, "dropout");
  expect(std::fabs(kept - 0.7) < 0.05, "dropout keeps 70 %");
  samples::normal_noise(dy, count, 99, stream);
  double mean = 0, square = 0;
  for (float v : dy.read(stream)) mean += v / double(count), square += double(v) * v / double(count);
  expect(std::fabs(mean) < 0.1 && std::fabs(square - 1) < 0.1, "normal_noise has mean 0 and variance 1");
}

void test_softmax(int classes, int batch) {
  const Stream stream;
  const auto logits = normal_values(size_t(classes) * batch);
  std::vector<int> label(static_cast<size_t>(batch));
  for (size_t j = 0; j < label.size(); ++j) label[j] = int(j * 7) % classes;
  const Array<float> dlogits(logits), dloss(label.size()), dgradient(logits.size());
  const Array<int> dlabel(label);
  samples::softmax_cross_entropy(dloss, dgradient, dlogits, dlabel, classes, batch, stream);
  std::vector<float> loss(label.size()), gradient(logits.size());
  for (size_t j = 0; j < label.size(); ++j) {
    double sum = 0;
    for (size_t k = 0; k < size_t(classes); ++k) sum += std::exp(double(logits[k * label.size() + j]));
    loss[j] = float(std::log(sum) - logits[size_t(label[j]) * label.size() + j]);
    for (size_t k = 0; k < size_t(classes); ++k)
      gradient[k * label.size() + j] =
          float((std::exp(double(logits[k * label.size() + j])) / sum - (int(k) == label[j])) / batch);
  }
  expect_near(dloss.read(stream), loss, 1e-5f, "softmax loss");
  expect_near(dgradient.read(stream), gradient, 1e-5f, "softmax gradient");
}

void test_embedding() {
  constexpr int kCount = 100, kWidth = 13, kRows = 9;
  const Stream stream;
  const auto gradient = normal_values(kCount * kWidth);
  std::vector<int> index(kCount);
  for (int i = 0; i < kCount; ++i) index[size_t(i)] = i * i % kRows;
  const Array<float> dgradient(gradient), dtable(kRows * kWidth);
  const Array<int> dindex(index);
  check_cuda(cudaMemsetAsync(dtable, 0, dtable.size() * 4, stream), "clearing");
  samples::embedding_gradient(dtable, dgradient, dindex, kCount, kWidth, stream);
  std::vector<float> table(dtable.size());
  for (size_t i = 0; i < gradient.size(); ++i) table[size_t(index[i / kWidth]) * kWidth + i % kWidth] += gradient[i];
  expect_near(dtable.read(stream), table, 1e-5f, "embedding_gradient");
}

void test_sum(size_t count) {
  const Stream stream;
  const auto x = normal_values(count);
  const Array<float> dx(x), result(1), scratch(64);
  const Array<unsigned> counter(1);
  check_cuda(cudaMemsetAsync(counter, 0, 4, stream), "clearing");
  for (int twice = 0; twice < 2; ++twice) samples::sum(result, scratch, counter, dx, count, stream);
  double sum = 0;
  for (float v : x) sum += v;
  expect_near(result.read(stream), {float(sum)}, 1e-4f, "sum");
}

// Three steps, eager and captured: the same bits.
void test_adam_graph() {
  constexpr size_t kCount = 1001;
  const auto gradient = normal_values(kCount);
  std::vector<float> results[2];
  for (const bool captured : {false, true}) {
    const Stream stream;
    const Array<float> weight(normal_values(kCount, 8)), mean(kCount), square(kCount), dgradient(gradient), step(1);
    check_cuda(cudaMemsetAsync(mean, 0, kCount * 4, stream), "clearing");
    check_cuda(cudaMemsetAsync(square, 0, kCount * 4, stream), "clearing");
    check_cuda(cudaMemsetAsync(step, 0, 4, stream), "clearing");
    auto run = [&] { samples::adam_step(weight, mean, square, dgradient, step, kCount, stream); };
    if (captured) {
      cudaGraph_t graph;
      cudaGraphExec_t executable;
      stream.wait();
      check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
      run();
      check_cuda(cudaStreamEndCapture(stream, &graph), "capturing");
      check_cuda(cudaGraphInstantiate(&executable, graph, 0), "instantiating");
      for (int i = 0; i < 3; ++i) check_cuda(cudaGraphLaunch(executable, stream), "replaying");
      results[1] = weight.read(stream);
      check_cuda(cudaGraphExecDestroy(executable), "destroying");
      check_cuda(cudaGraphDestroy(graph), "destroying");
    } else {
      for (int i = 0; i < 3; ++i) run();
      results[0] = weight.read(stream);
    }
  }
  expect(results[0] == results[1], "captured Adam equals eager Adam bit for bit");
  auto weight = normal_values(kCount, 8);
  for (size_t i = 0; i < kCount; ++i)
    weight[i] -= 0.03f * (gradient[i] > 0 ? 1.0f : -1.0f);  // equal gradients: lr a step
  expect_near(results[0], weight, 1e-4f, "adam_step");
}

}  // namespace

int main() {
  for (const auto& [n, c, p] : {std::tuple{3, 5, 64}, {2, 7, 49}, {1, 1, 3}, {4, 33, 16}})
    test_bias_and_statistics(n, c, p);
  for (const auto& [m, n, k] : {std::tuple{64, 64, 32}, {70, 100, 36}, {1, 4, 4}, {65, 136, 56}}) test_matmul(m, n, k);
  for (const auto& [n, ci, co, h, w] : {std::tuple{2, 3, 5, 4, 4}, {1, 4, 9, 7, 9}, {1, 2, 3, 1, 1}})
    test_upsampling_conv(n, ci, co, h, w);
  test_random(5003);
  for (const auto& [k, n] : {std::tuple{10, 7}, {100, 33}, {3, 64}}) test_softmax(k, n);
  test_embedding();
  for (const size_t count : {size_t(1), size_t(1025), size_t(30001)}) test_sum(count);
  test_adam_graph();
  return report();
}
