// A program that runs training steps on demand: ours in a process of its own, or a peer (bench/peers/README.md).
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace tobogan::bench {

struct StepTimes {
  std::vector<double> wall_ms, cpu_ms;  // one a step
  double peak_mib = 0;                  // resident memory of the process so far
  std::string error;                    // why there are none; else empty
};

class Contestant {
 public:
  // Starts `command` in a shell.
  Contestant(std::string name, const std::string& command);
  ~Contestant();
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;

  const std::string& name() const { return name_; }
  pid_t pid() const { return pid_; }
  // Builds the model and makes one step.  Returns the milliseconds from the start of the program to its end.
  double first_step(const std::string& model, StepTimes& times);
  // Makes `count` steps.
  StepTimes steps(const std::string& model, int count);

 private:
  StepTimes ask(const std::string& order);

  std::string name_, command_, unread_;
  double started_ms_;
  int orders_ = -1, answers_ = -1;
  pid_t pid_ = -1;
};

}  // namespace tobogan::bench
