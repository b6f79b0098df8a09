// How benchmarks measure: interleaved rounds, medians with their spread, and rounds that a neighbour disturbed left
// out.
//
// On one thread the thread's own processor time is measured, which a neighbour cannot stretch.  On several it is wall
// time, and a round counts only if the process had its processors to itself: processor time / wall time near the number
// of threads.
#pragma once
#include <time.h>

#include <algorithm>
#include <functional>
#include <vector>

namespace tobogan::bench {

inline double clock_seconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Something measured in every round.
struct Subject {
  std::function<void()> run;
  int threads = 1;
};

struct Timing {
  double median = 0, low = 0, high = 0;  // seconds per run: the median, the 10th and the 90th percentile
  double best = 0;                       // the shortest
  int rounds = 0, quiet_rounds = 0;      // where no round was quiet, all of them are used and quiet_rounds is 0
};

struct Rounds {
  int count = 7;
  double seconds = 0.05;  // per subject and round
};

// Between two values in proportion, so that the median of an even number is the mean of the middle two.
inline double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(place);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

// Measures all subjects, one after the other, in every round.
inline std::vector<Timing> measure(const std::vector<Subject>& subjects, const Rounds& rounds) {
  struct Sample {
    double seconds;
    bool quiet;
  };
  std::vector<std::vector<Sample>> samples(subjects.size());
  std::vector<int> repeats(subjects.size());
  for (size_t i = 0; i < subjects.size(); ++i) {
    subjects[i].run();  // warms caches and memory pools
    const double start = clock_seconds(CLOCK_MONOTONIC);
    subjects[i].run();
    const double once = std::max(1e-8, clock_seconds(CLOCK_MONOTONIC) - start);
    repeats[i] = static_cast<int>(std::clamp(rounds.seconds / once, 1.0, 1e6));
  }
  for (int round = 0; round < rounds.count; ++round) {
    for (size_t i = 0; i < subjects.size(); ++i) {
      const double wall = clock_seconds(CLOCK_MONOTONIC), process = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
      const double thread = clock_seconds(CLOCK_THREAD_CPUTIME_ID);
      for (int r = 0; r < repeats[i]; ++r) subjects[i].run();
      const double thread_seconds = clock_seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
      const double process_seconds = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - process;
      const double wall_seconds = clock_seconds(CLOCK_MONOTONIC) - wall;
      const double seconds = (subjects[i].threads == 1 ? thread_seconds : wall_seconds) / repeats[i];
      const bool quiet = subjects[i].threads == 1 || process_seconds > 0.93 * subjects[i].threads * wall_seconds;
      samples[i].push_back({seconds, quiet});
    }
  }
  std::vector<Timing> timings;
  for (const std::vector<Sample>& all : samples) {
    std::vector<double> quiet, any;
    for (const Sample& sample : all) {
      any.push_back(sample.seconds);
      if (sample.quiet) quiet.push_back(sample.seconds);
    }
    const std::vector<double>& used = quiet.empty() ? any : quiet;
    timings.push_back({quantile(used, 0.5), quantile(used, 0.1), quantile(used, 0.9), quantile(used, 0),
                       static_cast<int>(any.size()), static_cast<int>(quiet.size())});
  }
  return timings;
}

}  // namespace tobogan::bench
