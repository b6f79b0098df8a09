// Read from the kernel's own counters: the difference of the machine's busy time and a process's is what others used.
#include "bench/load.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>

#include "bench/timing.h"
#include "engine/error.h"

namespace tobogan::bench {
double wall_ms() {
  return 1e3 * clock_seconds(CLOCK_MONOTONIC);
}
double own_cpu_ms() {
  return 1e3 * clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

double cpu_ms_of(pid_t process) {
  clockid_t clock;
  return clock_getcpuclockid(process, &clock) == 0 ? 1e3 * clock_seconds(clock) : 0;
}

double own_peak_mib() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return static_cast<double>(use.ru_maxrss) / 1024;
}

double machine_busy_ms() {
  std::ifstream file("/proc/stat");
  std::string label;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, interrupt = 0, soft_interrupt = 0, stolen = 0;
  file >> label >> user >> nice >> system >> idle >> wait >> interrupt >> soft_interrupt >> stolen;
  const double ticks = user + nice + system + interrupt + soft_interrupt + stolen;
  return 1e3 * ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

BusyProcess::BusyProcess() : pid_(fork()) {
  check(pid_ >= 0, "cannot start the busy process");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) asm volatile("");
  }
}

BusyProcess::~BusyProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace tobogan::bench
