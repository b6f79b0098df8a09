// What the engine itself costs: chains of operations on tensors of four elements, where there is nothing to compute.
//
// Per operation: a result allocated, the kernel called, the edge remembered; and in the gradient column also its rule
// run, whose operations are made the same way (a product's gradient is two products).
#include <CLI/CLI.hpp>
#include <iostream>

#include "bench/machine.h"
#include "bench/timing.h"
#include "engine/autograd.h"
#include "engine/context.h"
#include "engine/ops/ops.h"

namespace tobogan::bench {
namespace {

struct Chain {
  const char* name;
  std::function<Tensor(const Tensor& h, const Tensor& w)> link;
};

const Chain kChains[] = {
    {"add", [](const Tensor& h, const Tensor& w) { return h + w; }},
    {"mul", [](const Tensor& h, const Tensor& w) { return h * w; }},
    {"leaky_relu", [](const Tensor& h, const Tensor&) { return leaky_relu(h, 0.2); }},
    {"tanh", [](const Tensor& h, const Tensor&) { return tanh(h); }},
    {"matmul 2x2", [](const Tensor& h, const Tensor& w) { return matmul(h, w); }},
    {"add, mul, leaky_relu in turn", [](const Tensor& h, const Tensor& w) { return leaky_relu(h * w + w, 0.2); }},
};

Tensor run(const Chain& chain, const Tensor& x, const Tensor& w, int length) {
  Tensor h = x;
  for (int i = 0; i < length; ++i) h = chain.link(h, w);
  return h;
}

void measure_all(int length, int rounds) {
  Machine machine({.threads = 1});
  Context context(machine, 1);
  Tensor x = context.rng["x"].uniform({2, 2}, 0.5, 1), w = context.rng["w"].uniform({2, 2}, 0.4, 0.6);
  x.require_grad();
  w.require_grad();
  const Tensor leaves[] = {x, w};
  std::printf("%s\n\nnanoseconds per operation, median of %d rounds; chains of %d operations on 4 elements\n\n",
              processor_name().c_str(), rounds, length);
  std::printf("| operation | not recorded | recorded | recorded, with its gradient |\n|---|---|---|---|\n");
  for (const Chain& chain : kChains) {
    const int per_link = &chain == std::end(kChains) - 1 ? 3 : 1, links = length / per_link;
    const std::vector<Timing> timings = measure({{[&] {
                                                   const NoGrad no_grad;
                                                   run(chain, x, w, links);
                                                 }},
                                                 {[&] { run(chain, x, w, links); }},
                                                 {[&] { grad(sum(run(chain, x, w, links)), leaves); }}},
                                                {.count = rounds});
    const double ns = 1e9 / (links * per_link);
    std::printf("| %s | %.0f | %.0f | %.0f |\n", chain.name, ns * timings[0].median, ns * timings[1].median,
                ns * timings[2].median);
  }
}

}  // namespace
}  // namespace tobogan::bench

int main(int argc, char** argv) {
  int length = 999, rounds = 15;
  CLI::App app("Measures the engine's cost per operation on tensors of four elements");
  app.add_option("--length", length, "operations of a chain")->check(CLI::Range(3, 100000))->capture_default_str();
  app.add_option("--rounds", rounds, "rounds")->check(CLI::Range(1, 1000))->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    tobogan::bench::measure_all(length, rounds);
  } catch (const std::exception& error) {
    std::cerr << "overhead_bench: " << error.what() << "\n";
    return 1;
  }
}
