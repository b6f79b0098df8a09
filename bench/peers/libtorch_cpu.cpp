// MLP and LeNet-5 training steps in PyTorch's C++ front end, where no Python slows small steps down.
//
// Serves bench/step_bench as pytorch_step.py --serve does: "start MODEL" or "step MODEL COUNT" in, one line of JSON out.
// Not part of the build: README.md beside this file says how to compile it against the pip package or libtorch-dev.
#include <malloc.h>
#include <sys/resource.h>
#include <torch/torch.h>

#include <cstdlib>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kBatch = 64, kWarmup = 3;
namespace nn = torch::nn;

// One step of training on a fixed batch in memory: forward, backward, Adam.
std::function<void()> training(nn::Sequential net, torch::Tensor x) {
  auto labels = torch::randint(10, {kBatch}, torch::kLong);
  auto adam = std::make_shared<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(1e-3));
  return [=]() mutable {
    adam->zero_grad();
    torch::nn::functional::cross_entropy(net->forward(x), labels).backward();
    adam->step();
  };
}

std::function<void()> mlp() {
  nn::Sequential net(nn::Linear(784, 300), nn::BatchNorm1d(nn::BatchNorm1dOptions(300).eps(1e-3).momentum(0.01)),
                     nn::ReLU(), nn::Dropout(0.1), nn::Linear(300, 10));
  return training(net, torch::rand({kBatch, 784}));
}

std::function<void()> lenet5(bool channels_last) {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(3, 6, 5)), nn::ReLU(), nn::MaxPool2d(2),
                     nn::Conv2d(nn::Conv2dOptions(6, 16, 5)), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                     nn::Linear(400, 120), nn::ReLU(), nn::Linear(120, 84), nn::ReLU(), nn::Linear(84, 10));
  auto x = torch::rand({kBatch, 3, 32, 32});
  if (channels_last) {
    torch::NoGradGuard no_grad;
    for (auto& parameter : net->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    }
    x = x.contiguous(at::MemoryFormat::ChannelsLast);
  }
  return training(net, x);
}

double milliseconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

std::string timed(const std::function<void()>& step, int count) {
  std::ostringstream wall, cpu;
  for (int i = 0; i < count; ++i) {
    const double wall0 = milliseconds(CLOCK_MONOTONIC), cpu0 = milliseconds(CLOCK_PROCESS_CPUTIME_ID);
    step();
    wall << (i ? ", " : "") << milliseconds(CLOCK_MONOTONIC) - wall0;
    cpu << (i ? ", " : "") << milliseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu0;
  }
  rusage use;
  getrusage(RUSAGE_SELF, &use);
  return "{\"wall_ms\": [" + wall.str() + "], \"cpu_ms\": [" + cpu.str() +
         "], \"peak_mib\": " + std::to_string(use.ru_maxrss / 1024.0) + "}";
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const bool strong = argc > 2 && std::string(argv[2]) == "strong";
  if (threads < 1 || argc > 3 || (argc == 3 && !strong)) {
    std::cerr << "usage: libtorch_cpu [THREADS [strong]]\n";
    return 2;
  }
  if (strong) {  // keep large blocks instead of unmapping them
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 2147483647);
    mallopt(M_TOP_PAD, 1 << 26);
  }
  torch::set_num_threads(threads);
  torch::manual_seed(1);
  std::map<std::string, std::function<void()>> steps;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string order, model;
    int count = 0;
    words >> order >> model >> count;
    const bool start = order == "start";
    if ((!start && (order != "step" || count < 1)) || (model != "mlp" && model != "lenet5")) {
      std::cout << "{\"error\": \"expected 'start mlp|lenet5' or 'step mlp|lenet5 COUNT'\"}" << std::endl;
      continue;
    }
    auto& step = steps[model];
    if (start || !step) {
      for (auto& [name, other] : steps) other = nullptr;  // one model is in memory at a time
      step = model == "mlp" ? mlp() : lenet5(strong);
      if (!start) timed(step, kWarmup);
    }
    std::cout << timed(step, start ? 1 : count) << std::endl;
  }
}
