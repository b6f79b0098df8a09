"""Values and first gradients of single layers.

A case is a function of named tensors.  Its entries in the file are `case/in/x` for every input, `case/out` for the value
and, for every floating input, `case/grad/x`: the gradient of sum(out * case/dout).  What a case leaves behind besides
(running statistics) is stored under the name it was given.
"""
import math
import zlib

import numpy as np
import torch
import torch.nn.functional as F


def numbers(name, *shape, scale=1.0):
    """Normal numbers that depend on `name` alone, so that a new case changes no other; exactly float32."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return torch.from_numpy(np.asarray(scale * rng.standard_normal(shape), np.float32)).double()


class Cases:
    def __init__(self):
        self.tensors = {}

    def add(self, name, shapes, run, no_grad=(), **fixed):
        """shapes: inputs to draw; fixed: inputs given; run(**inputs) returns the value, or (value, dict of the rest)."""
        inputs = {key: numbers(f"{name}/{key}", *shape) for key, shape in shapes.items()}
        inputs.update(fixed)
        wanted = [key for key, x in inputs.items() if x.is_floating_point() and key not in no_grad]
        for key, x in inputs.items():
            self.tensors[f"{name}/in/{key}"] = x.clone()
        for key in wanted:
            inputs[key].requires_grad_(True)
        out = run(**inputs)
        out, rest = out if isinstance(out, tuple) else (out, {})
        dout = numbers(f"{name}/dout", *out.shape)
        grads = torch.autograd.grad((out * dout).sum(), [inputs[key] for key in wanted])
        self.tensors[f"{name}/out"], self.tensors[f"{name}/dout"] = out, dout
        self.tensors.update({f"{name}/grad/{key}": g for key, g in zip(wanted, grads)})
        self.tensors.update({f"{name}/{key}": x for key, x in rest.items()})


def convolutions(cases):
    def conv(name, x, w, pad=(0, 0, 0, 0), **options):  # pad: left, right, top, bottom
        cases.add(f"conv2d_{name}", {"x": x, "weight": w, "bias": (w[0],)},
                  lambda x, weight, bias: F.conv2d(F.pad(x, pad), weight, bias, **options))

    conv("pad1", (2, 3, 7, 6), (4, 3, 3, 3), (1, 1, 1, 1))
    conv("valid", (2, 3, 6, 5), (4, 3, 4, 4))
    conv("same_k5_s2", (2, 3, 8, 8), (4, 3, 5, 5), (1, 2, 1, 2), stride=2)
    conv("same_k3_s2", (2, 3, 8, 6), (4, 3, 3, 3), (0, 1, 0, 1), stride=2)
    conv("same_k5_s2_odd", (2, 3, 7, 7), (4, 3, 5, 5), (2, 2, 2, 2), stride=2)
    conv("k4_s2_pad1", (5, 2, 8, 8), (6, 2, 4, 4), (1, 1, 1, 1), stride=2)
    conv("k1x7", (2, 3, 4, 9), (4, 3, 1, 7), (3, 3, 0, 0))
    conv("k3x2_s2x1", (2, 3, 7, 6), (4, 3, 3, 2), (0, 1, 2, 1), stride=(2, 1))
    conv("dilated", (2, 3, 9, 8), (4, 3, 3, 3), (2, 2, 2, 2), dilation=2)
    conv("k1", (2, 3, 4, 5), (7, 3, 1, 1))
    conv("wide", (3, 17, 5, 4), (18, 17, 3, 3), (1, 1, 1, 1))  # no multiple of any vector width
    conv("from_one", (5, 1, 9, 9), (33, 1, 5, 5), (1, 2, 1, 2), stride=2)
    conv("to_one", (3, 20, 6, 6), (1, 20, 4, 4), (1, 1, 1, 1), stride=2)
    conv("batch_of_one", (1, 4, 8, 9), (5, 4, 3, 3), (1, 1, 1, 1))


def transposed_convolutions(cases):
    def conv(name, x, w, stride, begin, end):  # the full output, cropped by begin and end in both directions
        def run(x, weight, bias):
            full = F.conv_transpose2d(x, weight, bias, stride=stride)
            return full[:, :, begin:full.shape[2] - end, begin:full.shape[3] - end]
        cases.add(f"conv_transpose2d_{name}", {"x": x, "weight": w, "bias": (w[1],)}, run)

    conv("k4_s2_crop1", (2, 4, 3, 4), (4, 3, 4, 4), 2, 1, 1)
    conv("same_k5_s2", (2, 4, 4, 3), (4, 3, 5, 5), 2, 1, 2)
    conv("same_k3_s2", (2, 4, 4, 3), (4, 3, 3, 3), 2, 0, 1)
    conv("same_k5_s1", (2, 4, 5, 4), (4, 3, 5, 5), 1, 2, 2)
    conv("torch_k5_s2_pad2_out1", (2, 4, 4, 3), (4, 3, 5, 5), 2, 2, 1)
    conv("valid_k4_s1", (3, 6, 1, 1), (6, 5, 4, 4), 1, 0, 0)
    conv("wide", (3, 18, 4, 3), (18, 17, 4, 4), 2, 1, 1)
    conv("to_one", (3, 20, 4, 4), (20, 1, 5, 5), 2, 1, 2)


def dense_and_embedding(cases):
    cases.add("linear", {"x": (5, 7), "weight": (4, 7), "bias": (4,)}, lambda x, weight, bias: F.linear(x, weight, bias))
    cases.add("linear_wide", {"x": (3, 65), "weight": (33, 65)}, lambda x, weight: F.linear(x, weight))
    cases.add("embedding", {"table": (6, 5)}, lambda table, index: F.embedding(index, table),
              index=torch.tensor([2, 0, 5, 2, 2, 1, 0]))


def normalisations(cases):
    def running(name, channels):
        return dict(running_mean=numbers(f"{name}/mean", channels), running_variance=numbers(f"{name}/var", channels).exp())

    def train(name, x, eps, keep, unbiased, gamma=True):
        """The running values are written out; PyTorch's own are asserted to agree where it has that convention."""
        start = {key: value.float().double() for key, value in running(name, x[1]).items()}

        def run(x, beta, gamma=None):
            dims = [0, *range(2, x.dim())]
            mean, var = x.mean(dims), x.var(dims, unbiased=unbiased)
            after = {"running_mean_after": keep * start["running_mean"] + (1 - keep) * mean,
                     "running_variance_after": keep * start["running_variance"] + (1 - keep) * var}
            buffers = [value.clone() for value in start.values()]
            out = F.batch_norm(x, *buffers, gamma, beta, training=True, momentum=1 - keep, eps=eps)
            if unbiased:
                assert all(torch.allclose(a, b, rtol=1e-12) for a, b in zip(buffers, after.values()))
            return out, {**after, **start}
        cases.add(f"batch_norm_{name}", {"x": x, "beta": (x[1],), **({"gamma": (x[1],)} if gamma else {})}, run)

    train("torch", (4, 3, 5, 4), 1e-5, 0.9, True)
    train("keras", (4, 3, 5, 4), 1e-3, 0.99, False)
    train("keras_features", (6, 5), 1e-3, 0.99, False)
    train("torch_features", (6, 5), 1e-5, 0.9, True)
    train("no_gamma", (4, 3, 5, 4), 1e-3, 0.999, False, gamma=False)
    cases.add("batch_norm_eval", {"x": (4, 3, 5, 4), "gamma": (3,), "beta": (3,)},
              lambda x, gamma, beta, running_mean, running_variance:
              F.batch_norm(x, running_mean, running_variance, gamma, beta, training=False, eps=1e-3),
              no_grad=("running_mean", "running_variance"),
              **{key: value.float().double() for key, value in running("eval", 3).items()})
    cases.add("instance_norm", {"x": (3, 4, 5, 6), "gamma": (4,), "beta": (4,)},
              lambda x, gamma, beta: F.instance_norm(x, weight=gamma, bias=beta, eps=1e-3))


def pooling_and_resizing(cases):
    def images(name, run, shape=(2, 3, 7, 6)):
        cases.add(name, {"x": shape}, run)

    images("max_pool_k2", lambda x: F.max_pool2d(x, 2))
    images("max_pool_k3_s2_pad1", lambda x: F.max_pool2d(x, 3, 2, 1))
    images("max_pool_k3_s2_ceil", lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), (2, 3, 8, 6))
    images("avg_pool_k2", lambda x: F.avg_pool2d(x, 2))
    images("avg_pool_k3_s1_pad1_excluded", lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False))
    images("adaptive_avg_pool_3x2", lambda x: F.adaptive_avg_pool2d(x, (3, 2)), (2, 3, 7, 5))
    images("nearest_x2", lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), (2, 3, 3, 4))
    images("pad_reflect", lambda x: F.pad(x, (3, 3, 3, 3), mode="reflect"))
    images("pad_zero", lambda x: F.pad(x, (1, 2, 0, 3)))
    for name, shape, size in (("up", (2, 3, 4, 5), (7, 9)), ("down", (2, 3, 8, 7), (3, 4))):
        images(f"bilinear_half_pixel_{name}",
               lambda x: F.interpolate(x, size, mode="bilinear", align_corners=False), shape)
        images(f"bilinear_tf1_{name}", lambda x: bilinear_tf1(x, size), shape)


def bilinear_tf1(x, size):
    """TensorFlow 1: the source of pixel i is i * in / out, without the half-pixel shift, clamped at the border."""
    def matrix(n_out, n_in):
        m = torch.zeros(n_out, n_in, dtype=x.dtype)
        for i in range(n_out):
            at = i * n_in / n_out
            low = math.floor(at)
            m[i, low] += 1 - (at - low)
            m[i, min(low + 1, n_in - 1)] += at - low
        return m
    return matrix(size[0], x.shape[2]) @ x @ matrix(size[1], x.shape[3]).T


def activations_and_losses(cases):
    wide = torch.cat([numbers("activation", 20, scale=3), torch.tensor([-80.0, -20, -1e-4, 1e-4, 20, 80]).float().double()])
    for name, run in {"relu": F.relu, "leaky_relu_0.2": lambda x: F.leaky_relu(x, 0.2), "tanh": torch.tanh,
                      "leaky_relu_0.3": lambda x: F.leaky_relu(x, 0.3), "sigmoid": torch.sigmoid,
                      "softplus": F.softplus}.items():
        cases.add(name, {}, run=lambda x: run(x), x=wide.clone())
    cases.add("softmax", {"x": (4, 6)}, lambda x: F.softmax(x, 1))
    cases.add("log_softmax", {"x": (4, 6)}, lambda x: F.log_softmax(x, 1))
    cases.add("log_softmax_large", {}, lambda x: F.log_softmax(x, 1), x=numbers("large", 4, 6, scale=60))
    cases.add("cross_entropy", {"x": (5, 10)}, lambda x, label: F.cross_entropy(x, label),
              label=torch.tensor([3, 0, 9, 3, 7]))
    targets = torch.tensor([1, 0, 0.9, 0.1, 1, 0, 1, 0]).float().double()
    weights = torch.tensor([1, 1, 2, 0.5, 0, 3, 1, 1]).float().double()
    logits = torch.cat([numbers("bce", 6, scale=2), torch.tensor([-40.0, 40])])
    cases.add("bce_logits", {}, lambda x, target: F.binary_cross_entropy_with_logits(x, target), no_grad=("target",),
              x=logits.clone(), target=targets.clone())
    cases.add("bce_logits_weighted", {}, lambda x, target, weight: F.binary_cross_entropy_with_logits(x, target, weight),
              no_grad=("target", "weight"), x=logits.clone(), target=targets.clone(), weight=weights)
    cases.add("mse", {"x": (3, 4), "target": (3, 4)}, lambda x, target: F.mse_loss(x, target), no_grad=("target",))
    cases.add("l1", {"x": (3, 4), "target": (3, 4)}, lambda x, target: F.l1_loss(x, target), no_grad=("target",))


def layers():
    cases = Cases()
    for family in (convolutions, transposed_convolutions, dense_and_embedding, normalisations, pooling_and_resizing,
                   activations_and_losses):
        family(cases)
    return cases.tensors
