// What __launch_bounds__ said.
#pragma once

namespace cuda_emulator {

// The largest block that the kernel may be launched with.
int max_threads_of(const void* kernel);

}  // namespace cuda_emulator
