// What a measurement has to know about the machine it ran on: who else was running, how much memory.
#pragma once
#include <sys/types.h>

namespace tobogan::bench {

double wall_ms();                 // of a clock that only runs forwards
double own_cpu_ms();              // CPU time of all threads of this process
double cpu_ms_of(pid_t process);  // CPU time of all threads of another process; 0 where it cannot be read
double own_peak_mib();            // largest resident memory of this process so far

// CPU time that all processes of the machine have spent, and what the hypervisor took away; in steps of 10 ms.
double machine_busy_ms();

// A process that does nothing but compute, as long as it lives.
class BusyProcess {
 public:
  BusyProcess();
  ~BusyProcess();
  BusyProcess(const BusyProcess&) = delete;
  BusyProcess& operator=(const BusyProcess&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace tobogan::bench
