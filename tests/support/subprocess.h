// Another program, run to its end with what it printed.
#pragma once
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "engine/atomic_file.h"
#include "tests/support/temp_folder.h"

namespace tobogan {

struct Ended {
  int status = 0;  // exit status, or minus the signal that killed it
  std::string out = {}, err = {};
};

// A program that was started and not yet waited for.
class Subprocess {
 public:
  explicit Subprocess(std::vector<std::string> command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const auto redirect = [&](int file, const char* name) {
      posix_spawn_file_actions_addopen(&actions, file, (folder_.path() / name).c_str(), O_WRONLY | O_CREAT, 0666);
    };
    redirect(STDOUT_FILENO, "out");
    redirect(STDERR_FILENO, "err");
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int problem = posix_spawnp(&child_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    check(problem == 0, "cannot start ", command[0]);
  }
  ~Subprocess() {
    if (child_ > 0) wait();
  }
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  Ended wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), read_text(folder_.path() / "out"),
            read_text(folder_.path() / "err")};
  }

 private:
  TempFolder folder_;
  pid_t child_ = 0;
};

inline Ended run_to_end(std::vector<std::string> command) {
  return Subprocess(std::move(command)).wait();
}

}  // namespace tobogan
