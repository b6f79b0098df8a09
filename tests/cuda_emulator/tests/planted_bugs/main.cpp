// planted_bugs NAME: runs that bug; exit code 0 means that nothing was noticed.  Without a name: lists them.
#include <cstring>

#include "tests/cuda_emulator/tests/planted_bugs/bugs.h"

int main(int argc, char** argv) {
  using namespace planted_bugs;
  std::setvbuf(stdout, nullptr, _IONBF, 0);  // a report may end the process
  for (const auto& bugs : {memory_bugs(), shared_memory_bugs(), barrier_bugs(), stream_bugs()})
    for (const Bug& bug : bugs) {
      if (argc < 2) std::printf("%s\n", bug.name);
      if (argc < 2 || std::strcmp(argv[1], bug.name)) continue;
      try {
        bug.run();
        check_cuda(cudaDeviceSynchronize(), "waiting for the device");
      } catch (const tobogan::kernels::CudaError& error) {
        std::printf("REFUSED: %s\n", error.what());
        return 1;
      }
      return 0;
    }
  if (argc > 1) std::printf("no bug is called %s\n", argv[1]);
  return argc > 1;
}
