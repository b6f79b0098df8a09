#include "bench/contestant.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "bench/load.h"
#include "engine/error.h"

namespace tobogan::bench {

Contestant::Contestant(std::string name, const std::string& command)
    : name_(std::move(name)), command_(command), started_ms_(wall_ms()) {
  int orders[2], answers[2];  // read end, write end
  // Closed on exec: another contestant must not hold the end of a pipe that tells this one to stop.
  check(pipe2(orders, O_CLOEXEC) == 0 && pipe2(answers, O_CLOEXEC) == 0, "cannot open pipes for '", command, "'");
  pid_ = fork();
  check(pid_ >= 0, "cannot start '", command, "'");
  if (pid_ == 0) {
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
  waitpid(pid_, nullptr, 0);
}

StepTimes Contestant::ask(const std::string& order) {
  const std::string line = order + "\n";
  size_t end = std::string::npos;
  bool alive = write(orders_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  while (alive && (end = unread_.find('\n')) == std::string::npos) {
    char piece[4096];
    const ssize_t got = read(answers_, piece, sizeof piece);
    alive = got > 0;
    if (alive) unread_.append(piece, static_cast<size_t>(got));
  }
  check(end != std::string::npos, "the program ", command_, " ended without answering '", order, "'");
  const auto answer = nlohmann::json::parse(unread_.substr(0, end), nullptr, false);
  check(answer.is_object(), "'", command_, "' answered '", order, "' with '", unread_.substr(0, end), "', not JSON");
  unread_.erase(0, end + 1);
  if (answer.contains("error")) return {{}, {}, 0, answer["error"].get<std::string>()};
  StepTimes times{answer.at("wall_ms"), answer.at("cpu_ms"), answer.at("peak_mib"), ""};
  check(!times.wall_ms.empty() && times.wall_ms.size() == times.cpu_ms.size(), "'", command_, "' answered '", order,
        "' without times");
  return times;
}

double Contestant::first_step(const std::string& model, StepTimes& times) {
  times = ask("start " + model);
  return wall_ms() - started_ms_;
}

StepTimes Contestant::steps(const std::string& model, int count) {
  return ask("step " + model + " " + std::to_string(count));
}

}  // namespace tobogan::bench
