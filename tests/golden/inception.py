"""The FID network in plain PyTorch, with weights by a formula, and its features of two images.

The formula: element i of the tensor named n is scale * u(n, i) + shift with u in -1..1 from the upper 24 bits of
SplitMix64's finalizer of fnv1a(n) + (i + 1) * 0x9e3779b97f4a7c15.  Scales and shifts are in `weight`.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

MASK = (1 << 64) - 1


def uniform(name, count):
    key = 0xCBF29CE484222325
    for c in name.encode():
        key = (key ^ c) * 0x100000001B3 & MASK
    with np.errstate(over="ignore"):
        x = np.uint64(key) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        x = x ^ x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1


def weight(name, *shape):
    scale, shift = {"conv.weight": (math.sqrt(6 / math.prod(shape[1:])), 0), "fc.weight": (0.05, 0),
                    "bn.weight": (0.2, 1), "bn.bias": (0.2, 0), "bn.running_mean": (0.2, 0),
                    "bn.running_var": (0.4, 1)}[".".join(name.split(".")[-2:])]
    values = (scale * uniform(name, math.prod(shape)) + shift).astype(np.float32)
    return torch.from_numpy(values.reshape(shape)).double()


def conv(x, name, out, kernel=1, stride=1, pad=0):
    kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    x = F.conv2d(x, weight(f"{name}.conv.weight", out, x.shape[1], *kernel), stride=stride, padding=pad)
    bn = {key: weight(f"{name}.bn.{key}", out) for key in ("running_mean", "running_var", "weight", "bias")}
    return F.relu(F.batch_norm(x, **bn, training=False, eps=1e-3))


def average(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def halve(x):
    return F.max_pool2d(x, 3, 2)


def block_a(x, n, pool):
    five = conv(conv(x, f"{n}.branch5x5_1", 48), f"{n}.branch5x5_2", 64, 5, pad=2)
    three = conv(conv(x, f"{n}.branch3x3dbl_1", 64), f"{n}.branch3x3dbl_2", 96, 3, pad=1)
    three = conv(three, f"{n}.branch3x3dbl_3", 96, 3, pad=1)
    return torch.cat([conv(x, f"{n}.branch1x1", 64), five, three, conv(average(x), f"{n}.branch_pool", pool)], 1)


def block_b(x, n):
    double = conv(conv(x, f"{n}.branch3x3dbl_1", 64), f"{n}.branch3x3dbl_2", 96, 3, pad=1)
    return torch.cat([conv(x, f"{n}.branch3x3", 384, 3, 2), conv(double, f"{n}.branch3x3dbl_3", 96, 3, 2), halve(x)], 1)


def chain(x, n, *layers):
    """Layers of 1 x 7 ("w") and 7 x 1 ("h"), numbered from 2."""
    for i, (axis, out) in enumerate(layers, 2):
        kernel, pad = ((1, 7), (0, 3)) if axis == "w" else ((7, 1), (3, 0))
        x = conv(x, f"{n}_{i}", out, kernel, pad=pad)
    return x


def block_c(x, n, c):
    once = chain(conv(x, f"{n}.branch7x7_1", c), f"{n}.branch7x7", ("w", c), ("h", 192))
    twice = chain(conv(x, f"{n}.branch7x7dbl_1", c), f"{n}.branch7x7dbl", ("h", c), ("w", c), ("h", c), ("w", 192))
    return torch.cat([conv(x, f"{n}.branch1x1", 192), once, twice, conv(average(x), f"{n}.branch_pool", 192)], 1)


def block_d(x, n):
    three = conv(conv(x, f"{n}.branch3x3_1", 192), f"{n}.branch3x3_2", 320, 3, 2)
    seven = chain(conv(x, f"{n}.branch7x7x3_1", 192), f"{n}.branch7x7x3", ("w", 192), ("h", 192))
    return torch.cat([three, conv(seven, f"{n}.branch7x7x3_4", 192, 3, 2), halve(x)], 1)


def block_e(x, n, pooled):
    once = conv(x, f"{n}.branch3x3_1", 384)
    twice = conv(conv(x, f"{n}.branch3x3dbl_1", 448), f"{n}.branch3x3dbl_2", 384, 3, pad=1)
    both = lambda y, name: [conv(y, name + "a", 384, (1, 3), pad=(0, 1)), conv(y, name + "b", 384, (3, 1), pad=(1, 0))]
    return torch.cat([conv(x, f"{n}.branch1x1", 320), *both(once, f"{n}.branch3x3_2"),
                      *both(twice, f"{n}.branch3x3dbl_3"), conv(pooled, f"{n}.branch_pool", 192)], 1)


def network(x):
    x = conv(conv(x, "Conv2d_1a_3x3", 32, 3, 2), "Conv2d_2a_3x3", 32, 3)
    x = halve(conv(x, "Conv2d_2b_3x3", 64, 3, pad=1))
    x = halve(conv(conv(x, "Conv2d_3b_1x1", 80), "Conv2d_4a_3x3", 192, 3))
    for n, pool in (("b", 32), ("c", 64), ("d", 64)):
        x = block_a(x, f"Mixed_5{n}", pool)
    x = block_b(x, "Mixed_6a")
    for n, c in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        x = block_c(x, f"Mixed_6{n}", c)
    x = block_d(x, "Mixed_7a")
    x = block_e(x, "Mixed_7b", average(x))
    x = block_e(x, "Mixed_7c", F.max_pool2d(x, 3, 1, 1))
    return x.mean((2, 3))


def resize_axis(x, axis, size):
    """Bilinear as TensorFlow 1: source = target * old / new, clamped."""
    old = x.shape[axis]
    source = torch.arange(size, dtype=torch.float64) * old / size
    low = source.floor().long()
    part = (source - low).reshape([-1 if a == axis else 1 for a in range(4)])
    return x.index_select(axis, low) * (1 - part) + x.index_select(axis, (low + 1).clamp(max=old - 1)) * part


def picture(channels, side):
    c, y, x = np.mgrid[:channels, :side, :side]
    return torch.from_numpy((x * x + 3 * y * (c + 1) + x * y * 5 + 40 * c) % 256).double()[None]


def save_features(path):
    tensors = {}
    for name, channels, side in (("grey", 1, 28), ("colour", 3, 32)):
        image = resize_axis(resize_axis(picture(channels, side).expand(1, 3, side, side), 2, 299), 3, 299)
        features = network((image - 128) / 128)
        print(f"{name}: features {features.min():.3f}..{features.max():.3f}, deviation {features.std():.3f}")
        tensors[f"{name}/features"] = features
        tensors[f"{name}/probabilities"] = torch.softmax(features @ weight("fc.weight", 1008, 2048).T, 1)
    tensors = {key: x.numpy().astype(np.float32) for key, x in tensors.items()}
    save_file(tensors, path, metadata={"made_by": "tests/golden/make_metrics_golden.py", "torch": torch.__version__})
