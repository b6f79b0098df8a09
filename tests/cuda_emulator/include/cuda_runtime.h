// CUDA's main header, for an ordinary C++ compiler: the device language and the part of the runtime API that the
// emulator knows.  It has CUDA's name so that one .cu file compiles for both; ../README.md says what is missing.
#pragma once
#include <cuda_emulator/atomics.h>
#include <cuda_emulator/execution.h>
#include <cuda_emulator/language.h>
#include <cuda_emulator/launch.h>
#include <cuda_emulator/math.h>
#include <cuda_emulator/runtime_api.h>
#include <cuda_emulator/warp.h>
