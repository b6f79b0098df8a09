#!/usr/bin/env python3
"""Asks PyTorch once, and writes the answers beside this file: see README.md.

    python3 -m pip install torch numpy safetensors && python3 tests/golden/make_golden.py

Inputs are exactly float32 numbers; everything is computed in float64 and rounded to float32 once.  So what a test sees
is the error of the engine, not PyTorch's.  For the trainings the script also prints how far the same ten steps in
float32 drift from those in float64: the ground on which the tolerances of tests/golden_test.cpp stand.
"""
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file

from layers import layers
from optimizers import optimizers
from training import cluster_gan, dcgan, wgan_gp

HERE = pathlib.Path(__file__).parent


def stored(x):
    x = x.detach().contiguous().numpy()
    return x.astype(np.float32 if x.dtype.kind == "f" else np.int32)


def save(name, tensors):
    path = HERE / f"{name}.safetensors"
    save_file({key: stored(x) for key, x in tensors.items()}, path,
              metadata={"made_by": "tests/golden/make_golden.py", "torch": torch.__version__})
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1024:.0f} KiB")


def drift(name, make):
    """Largest difference between the training in float64 and in float32, relative to the largest value of the tensor."""
    double, single = make(), make(torch.float32)
    for key in (k for k in double if "loss_" in k or "final." in k):
        error = (double[key] - single[key]).abs().max() / double[key].abs().max()
        print(f"  {name} {key}: {error:.1e} in float32")
    return double


def main():
    torch.set_num_threads(1)
    save("layers", layers())
    save("optimizers", optimizers())
    save("dcgan", drift("dcgan", dcgan))
    save("wgan_gp", drift("wgan_gp", wgan_gp))
    save("cluster_gan", drift("cluster_gan", cluster_gan))


if __name__ == "__main__":
    main()
