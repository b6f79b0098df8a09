// A program that runs training steps on demand: ours in a process of its own, or a peer (bench/peers/README.md).
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace tobogan::bench {

struct StepTimes {
  std::vector<double> wall_ms, cpu_ms;  // one a step
  double peak_mib = 0;                  // on the CPU resident memory of the process, on a GPU what its tensors reserved
  std::string error;                    // why there are no times; else empty
  std::string note;                     // what a reader of the times should know; mostly empty
};

// Whatever goes wrong with the program, a crash or too long a silence included, is a StepTimes::error: one program that
// fails is no reason to lose the others' times.
class Contestant {
 public:
  // Starts `command` in a shell.  It has `patience` seconds for each answer; after a longer silence it is killed.
  Contestant(const std::string& command, double patience);
  ~Contestant();
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;

  pid_t pid() const { return pid_; }
  bool has_ended() const { return has_ended_; }  // or is of no more use
  // Lets go of other models, builds this one and makes one step.
  StepTimes first_step(const std::string& model);
  // Makes `count` steps.
  StepTimes steps(const std::string& model, int count);

 private:
  StepTimes ask(const std::string& order);
  std::string line();  // of its answers; empty where none comes
  StepTimes failed(const std::string& why);

  std::string unread_;
  double patience_;
  bool has_ended_ = false;
  int orders_ = -1, answers_ = -1;
  pid_t pid_ = -1;
};

}  // namespace tobogan::bench
