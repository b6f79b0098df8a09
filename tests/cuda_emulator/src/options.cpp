// Reading the options.  They stand in the environment because the program under test should not have to know them.
#include "options.h"

#include <cstdlib>
#include <sstream>

#include "report.h"
#include "sanitizers.h"
#include "shared_memory.h"

namespace cuda_emulator {
namespace {

// The number behind "word:", or false if text is another word.
bool number_of(const std::string& text, const std::string& word, uint64_t& number) {
  if (text.rfind(word + ':', 0) != 0) return false;
  char* end = nullptr;
  const char* digits = text.c_str() + word.size() + 1;
  number = std::strtoull(digits, &end, 10);
  if (!*digits || *end) fatal("CUDA_EMULATOR: expected a number in '%s'", text.c_str());
  return true;
}

void apply(const std::string& word, Options& options) {
  uint64_t number = 0;
  if (word == "forward")
    options.order = Order::kForward;
  else if (word == "reverse")
    options.order = Order::kReverse;
  else if (word == "random")
    options.order = Order::kRandom;
  else if (number_of(word, "random", number))
    options.order = Order::kRandom, options.seed = number;
  else if (word == "eager")
    options.lazy_streams = false;
  else if (word == "lazy")
    options.lazy_streams = true;
  else if (word == "protect")
    options.protect = true;
  else if (word == "leaks")
    options.report_leaks = true;
  else if (number_of(word, "workers", number) && number > 0)
    options.workers = int(number);
  else if (number_of(word, "multiprocessors", number) && number > 0)
    options.multiprocessors = int(number);
  else if (number_of(word, "memory", number))
    options.device_bytes = size_t(number) << 20;
  else if (number_of(word, "shared", number) && number <= SharedMemory::kMaxBytes >> 10)
    options.shared_bytes = size_t(number) << 10;
  else
    fatal(
        "CUDA_EMULATOR: unknown word '%s' (known: forward, reverse, random, random:<seed>, eager, lazy, protect, "
        "leaks, workers:<n>, multiprocessors:<n>, memory:<MiB>, shared:<KiB>)",
        word.c_str());
}

}  // namespace

Options options_from_environment() {
  Options options;
  const char* text = std::getenv("CUDA_EMULATOR");
  std::istringstream words(text ? text : "");
  for (std::string word; std::getline(words, word, ',');)
    if (!word.empty()) apply(word, options);
  if (kTsan) options.workers = 1;  // its fibers cannot be spread over threads
  return options;
}

// Before other files' initialisers, which might allocate device memory.
[[gnu::init_priority(101)]] Options active_options = options_from_environment();

void configure(const Options& options) {
  active_options = options;
  if (kTsan) active_options.workers = 1;
}

}  // namespace cuda_emulator
