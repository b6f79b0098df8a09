// A process group behind two pipes: orders go in as lines, times come back as lines, and a peer that hangs or dies
// costs its row of the table, not the run.
#include "bench/contestant.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "bench/load.h"
#include "engine/error.h"

namespace tobogan::bench {

Contestant::Contestant(const std::string& command, double patience) : patience_(patience) {
  int orders[2], answers[2];  // read end, write end
  // Closed on exec: another contestant must not hold the end of a pipe that tells this one to stop.
  check(pipe2(orders, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0, "cannot open pipes for '", command, "'");
  pid_ = fork();
  check(pid_ >= 0, "cannot start '", command, "'");
  if (pid_ == 0) {
    setpgid(0, 0);  // with its own children, so that they can be ended together
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(orders[0], STDIN_FILENO);
    dup2(answers[1], STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    _exit(127);
  }
  close(orders[0]);
  close(answers[1]);
  orders_ = orders[1];
  answers_ = answers[0];
  std::signal(SIGPIPE, SIG_IGN);  // a peer that died is told by its missing answer
}

Contestant::~Contestant() {
  close(orders_);  // the end of its input ends it
  close(answers_);
  if (has_ended_) kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string Contestant::line() {
  const double last = wall_ms() + 1e3 * patience_;
  for (;;) {
    if (const size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string first = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return first;
    }
    pollfd waiting{.fd = answers_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, static_cast<int>(std::max(0.0, last - wall_ms()))) <= 0) return "";
    char piece[4096];
    const ssize_t got = read(answers_, piece, sizeof piece);
    if (got <= 0) return "";
    unread_.append(piece, static_cast<size_t>(got));
  }
}

StepTimes Contestant::failed(const std::string& why) {
  has_ended_ = true;
  StepTimes none;
  none.error = why;
  return none;
}

StepTimes Contestant::ask(const std::string& order) {
  const std::string asked = order + "\n";
  const double asked_ms = wall_ms();
  if (write(orders_, asked.data(), asked.size()) != static_cast<ssize_t>(asked.size()))
    return failed(concat_text("it had ended before '", order, "'"));
  const std::string said = line();
  if (said.empty()) {
    const bool late = wall_ms() - asked_ms >= 1e3 * patience_;
    return failed(late ? concat_text("no answer to '", order, "' in ", patience_, " s")
                       : concat_text("it ended without answering '", order, "'"));
  }
  const auto answer = nlohmann::json::parse(said, nullptr, false);
  StepTimes times;
  try {
    if (answer.contains("error")) {
      times.error = answer.at("error");
      return times;
    }
    times = {answer.at("wall_ms"), answer.at("cpu_ms"), answer.at("peak_mib"), "", answer.value("note", "")};
  } catch (const nlohmann::json::exception&) {
    return failed(concat_text("it answered '", order, "' with '", said, "'"));
  }
  if (times.wall_ms.empty() || times.wall_ms.size() != times.cpu_ms.size())
    return failed(concat_text("it answered '", order, "' without times"));
  return times;
}

StepTimes Contestant::first_step(const std::string& model) {
  return ask("start " + model);
}

StepTimes Contestant::steps(const std::string& model, int count) {
  return ask("step " + model + " " + std::to_string(count));
}

}  // namespace tobogan::bench
