#!/usr/bin/env python3
"""Times training steps of this project's models in PyTorch, or serves such steps to bench/step_bench.

The work is exactly ours: the same networks, the same losses, gradients only for the parameters that move, one Adam
per network.  Data are in memory before the clock starts; noise and dropout masks are drawn inside the step, as ours are.

    python3 pytorch_step.py --model mnist-dcgan --strong           one JSON line with the times
    python3 pytorch_step.py --strong --serve                       answers lines of orders (README.md)
    python3 pytorch_step.py --device cuda --mode graph --precision tf32 --strong --serve

On a GPU --mode graph captures the whole step, optimiser and random numbers included, as one CUDA graph; --mode compile
gives the networks to torch.compile; compile-graph does both.
"""
import argparse
import contextlib
import ctypes
import gc
import json
import math
import os
import resource
import statistics
import sys
import time


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="mnist-dcgan", help="mnist-dcgan cifar-dcgan mlp lenet5 resnet18 wgan-gp; several with commas")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--steps", type=int, default=20, help="timed steps")
    p.add_argument("--warmup", type=int, default=3, help="steps before the clock starts")
    p.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    p.add_argument("--mode", default="eager", choices=["eager", "graph", "compile", "compile-graph"])
    p.add_argument("--precision", default="fp32", choices=["stock", "fp32", "tf32", "bf16"],
                   help="of products on a GPU; bf16 is autocast with TF32 for the rest, stock is what PyTorch does untold")
    p.add_argument("--serve", action="store_true", help="take orders on standard input")
    p.add_argument("--keep-memory", action="store_true", help="let malloc keep large blocks instead of unmapping them")
    p.add_argument("--channels-last", action="store_true", help="images and kernels in NHWC order")
    p.add_argument("--adam", default="stock", choices=["stock", "foreach", "fused"], help="fused needs PyTorch >= 2.4")
    p.add_argument("--onednn-deconv", action="store_true", help="PyTorch 1.13: transposed convolution through oneDNN")
    p.add_argument("--strong", action="store_true",
                   help="the best known setting: memory kept, channels last, fused Adam (foreach where there is none)")
    parsed = p.parse_args()
    if parsed.device == "cpu" and ("graph" in parsed.mode or parsed.precision not in ("stock", "fp32")):
        p.error("--mode graph and --precision are for --device cuda")
    return parsed


args = parse()
os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
if args.device == "cpu" and (args.keep_memory or args.strong):
    libc, trim_threshold, top_pad, mmap_max = ctypes.CDLL(None), -1, -2, -4  # numbers of glibc's malloc.h
    for option, value in ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 2**26)):
        assert libc.mallopt(option, value) == 1

import torch  # noqa: E402  (after OMP_NUM_THREADS and mallopt)
from torch import nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.set_num_threads(args.threads)
torch.manual_seed(1)
version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
if args.strong:
    args.channels_last = True
    args.adam = "fused" if version >= (2, 4) else "foreach"
if args.mode.startswith("compile"):
    # What a compiled way back may reuse it must not, where both networks' gradients come from one way forward.
    import torch._functorch.config
    torch._functorch.config.donated_buffer = False
bce = F.binary_cross_entropy_with_logits
on_gpu = args.device == "cuda"
if on_gpu:
    torch.set_default_device("cuda")
    torch.backends.cudnn.benchmark = args.strong
    if args.precision != "stock":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.precision != "fp32"


class Deconv(torch.autograd.Function):
    """What PyTorch >= 2 does by itself: a transposed convolution is the input gradient of a convolution, and its own
    gradients are a convolution and a weight gradient, all of which oneDNN has."""

    @staticmethod
    def forward(ctx, x, weight, stride, pad, extra):
        ctx.save_for_backward(x, weight)
        ctx.rest = ([stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1)
        size = [(n - 1) * stride - 2 * pad + weight.shape[2] + extra for n in x.shape[2:]]
        big = x.new_empty((x.shape[0], weight.shape[1], *size))
        return torch.ops.aten.convolution_backward(x, big, weight, None, *ctx.rest, [True, False, False])[0]

    @staticmethod
    def backward(ctx, dy):
        x, weight = ctx.saved_tensors
        dx = F.conv2d(dy, weight, None, ctx.rest[0], ctx.rest[1]) if ctx.needs_input_grad[0] else None
        dw = None
        if ctx.needs_input_grad[1]:
            dw = torch.ops.aten.convolution_backward(x, dy, weight, None, *ctx.rest, [False, True, False])[1]
        return dx, dw, None, None, None


class Up(nn.ConvTranspose2d):
    def forward(self, x):
        if not args.onednn_deconv:
            return super().forward(x)
        y = Deconv.apply(x, self.weight, self.stride[0], self.padding[0], self.output_padding[0])
        return y if self.bias is None else y + self.bias.view(1, -1, 1, 1)


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return ordered(x.view(-1, *self.shape))


def ordered(x):
    """Images or a network in the memory order asked for; a network compiled, too, if that was asked for."""
    if isinstance(x, nn.Module):
        x = x.to(memory_format=torch.channels_last) if args.channels_last else x
        return torch.compile(x) if args.mode.startswith("compile") else x
    return x.contiguous(memory_format=torch.channels_last) if args.channels_last and x.dim() == 4 else x


def adam(networks, rate, beta1=0.9, beta2=0.999):
    """A function of a loss that computes the gradients of these networks only, and returns what makes the step."""
    parameters = [p for network in networks for p in network.parameters()]
    kind = {} if args.adam == "stock" else {args.adam: True}
    if "graph" in args.mode:
        kind["capturable"] = True
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(beta1, beta2), **kind)

    def descend(loss, keep_graph=False):
        optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=parameters, retain_graph=keep_graph)
        return optimizer.step
    return descend


def mnist_dcgan():
    """Abadi, alpha 2: both gradients from one forward pass, then both networks move."""
    g = ordered(nn.Sequential(
        nn.Linear(100, 7 * 7 * 256, bias=False), Reshape(256, 7, 7), nn.BatchNorm2d(256, 1e-3, 0.01), nn.LeakyReLU(0.3),
        Up(256, 256, 5, 1, 2, bias=False), nn.BatchNorm2d(256, 1e-3, 0.01), nn.LeakyReLU(0.3),
        Up(256, 128, 5, 2, 2, 1, bias=False), nn.BatchNorm2d(128, 1e-3, 0.01), nn.LeakyReLU(0.3),
        Up(128, 1, 5, 2, 2, 1, bias=False), nn.Tanh()))
    d = ordered(nn.Sequential(
        nn.Conv2d(1, 64, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3),
        nn.Conv2d(64, 128, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3), nn.Flatten(), nn.Linear(6272, 1)))
    descend_g, descend_d = adam([g], 1e-3), adam([d], 1e-3)
    real = ordered(torch.rand(args.batch, 1, 28, 28) * 2 - 1)
    one, zero = torch.ones(args.batch, 1), torch.zeros(args.batch, 1)

    def step():
        real_score, fake_score = d(torch.cat([real, g(torch.randn(args.batch, 100))])).chunk(2)  # no batch norm: one pass
        move_d = descend_d((bce(real_score, one) + bce(fake_score, zero)) / 2, keep_graph=True)
        loss = bce(fake_score, one)
        move_g = descend_g(loss)
        move_d()
        move_g()
        return loss.detach()
    return step


def cifar_dcgan():
    """Chen: the generator is judged by the discriminator after its step."""
    g = ordered(nn.Sequential(
        Reshape(100, 1, 1), Up(100, 512, 4, bias=False), nn.BatchNorm2d(512), nn.ReLU(),
        Up(512, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
        Up(256, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(), Up(128, 3, 4, 2, 1, bias=False), nn.Tanh()))
    d = ordered(nn.Sequential(
        nn.Conv2d(3, 128, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(128, 256, 4, 2, 1, bias=False), nn.BatchNorm2d(256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 512, 4, 2, 1, bias=False), nn.BatchNorm2d(512), nn.LeakyReLU(0.2),
        nn.Conv2d(512, 1, 4, bias=False), nn.Flatten()))
    descend_g, descend_d = adam([g], 2e-4, 0.5), adam([d], 2e-4, 0.5)
    real = ordered(torch.rand(args.batch, 3, 32, 32) * 2 - 1)
    one, zero = torch.ones(args.batch, 1), torch.zeros(args.batch, 1)

    def step():
        fake = g(torch.randn(args.batch, 100))
        descend_d(bce(d(real), one) + bce(d(fake.detach()), zero))()
        loss = bce(d(fake), one)
        descend_g(loss)()
        return loss.detach()
    return step


def classifier(net, shape):
    net = ordered(net)
    x, y = ordered(torch.rand(args.batch, *shape)), torch.randint(0, 10, (args.batch,))
    descend = adam([net], 1e-3)

    def step():
        loss = F.cross_entropy(net(x), y)
        descend(loss)()
        return loss.detach()
    return step


def mlp():
    """Abadi."""
    return classifier(nn.Sequential(nn.Linear(784, 300), nn.BatchNorm1d(300, 1e-3, 0.01), nn.ReLU(), nn.Dropout(0.1),
                                    nn.Linear(300, 10)), (784,))


def lenet5():
    """Chen: 32 x 32 colour images."""
    return classifier(nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)), (3, 32, 32))


class Block(nn.Module):
    """ResNet's basic block."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.body(x))


def resnet18():
    """Chen: 32 x 32 colour images."""
    widths = ((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2), (512, 512, 1))
    return classifier(nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        *(Block(*width) for width in widths), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)), (3, 32, 32))


def wgan_gp(critic_steps=5):
    """Kim & Lee: one ClusterGAN iteration, five critic steps with gradient penalty and one of generator and encoder."""
    g = ordered(nn.Sequential(
        nn.Linear(40, 1024), nn.BatchNorm1d(1024, 1e-3), nn.ReLU(), nn.Linear(1024, 6272), Reshape(128, 7, 7),
        nn.BatchNorm2d(128, 1e-3), nn.ReLU(), Up(128, 64, 4, 2, 1), nn.BatchNorm2d(64, 1e-3), nn.ReLU(),
        Up(64, 1, 4, 2, 1), nn.Sigmoid()))

    def down(outputs):
        return ordered(nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(64, 128, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),
            nn.Linear(6272, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, outputs)))
    d, e = down(1), down(40)
    descend_d, descend_ge = adam([d], 1e-4, 0.5, 0.9), adam([g, e], 1e-4, 0.5, 0.9)
    real = ordered(torch.rand(args.batch, 1, 28, 28))

    def latent():
        label = torch.randint(0, 10, (args.batch,))
        noise = 0.1 * torch.randn(args.batch, 30)
        return torch.cat([noise, F.one_hot(label, 10).float()], 1), noise, label

    def penalty(fake):
        u = torch.rand(args.batch, 1, 1, 1)
        mixed = (u * real + (1 - u) * fake).requires_grad_(True)
        slope, = torch.autograd.grad(d(mixed).sum(), mixed, create_graph=True)
        return ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()

    def step():
        for _ in range(critic_steps):
            with torch.no_grad():
                fake = g(latent()[0])
            fake_score, real_score = d(torch.cat([fake, real])).chunk(2)
            descend_d(fake_score.mean() - real_score.mean() + 10 * penalty(fake))()
        z, noise, label = latent()
        fake = g(z)
        code = e(fake)
        loss = -d(fake).mean() + 10 * F.mse_loss(code[:, :30], noise) + 10 * F.cross_entropy(code[:, 30:], label)
        descend_ge(loss)()
        return loss.detach()
    return step


MODELS = {"mnist-dcgan": mnist_dcgan, "cifar-dcgan": cifar_dcgan, "mlp": mlp, "lenet5": lenet5, "resnet18": resnet18, "wgan-gp": wgan_gp}


def processor():
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as info:
        return next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown")
    return "unknown"


def made(model):
    """The model's step in the mode and precision asked for; it returns the loss of the network that moved last."""
    if model == "wgan-gp" and args.mode.startswith("compile"):
        raise RuntimeError("torch.compile cannot differentiate twice, as a gradient penalty needs")
    plain = MODELS[model]()

    def step():
        with torch.autocast("cuda", torch.bfloat16, enabled=args.precision == "bf16"):
            return plain()
    if not on_gpu:
        return plain
    if "graph" not in args.mode:
        return step
    side = torch.cuda.Stream()  # a few steps outside the graph make optimisers and libraries ready, as PyTorch asks for
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(4):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss
    return replay


def timed(step, count):
    """Milliseconds of `count` steps, wall and CPU time of all threads of this process.  Steps on a GPU are waited for in
    groups, as a training waits for them: each then counts as its group's mean."""
    wall, cpu, group = [], [], 20 if on_gpu else 1
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    wait()
    for done in range(0, count, group):
        steps = min(group, count - done)
        t, c = time.perf_counter(), time.process_time()
        for _ in range(steps):
            loss = step()
        wait()
        wall += [1e3 * (time.perf_counter() - t) / steps] * steps
        cpu += [1e3 * (time.process_time() - c) / steps] * steps
    if not math.isfinite(loss):
        raise RuntimeError(f"the loss is {float(loss)}: what is not a training is not timed")
    peak = torch.cuda.max_memory_reserved() / 2**20 if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_ms": wall, "cpu_ms": cpu, "peak_mib": peak}


def forget_models():
    """What they hold, compiled code included."""
    gc.collect()
    if args.mode.startswith("compile"):
        torch.compiler.reset()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def serve():
    """One line in, one line of JSON out, be it an error.  One model is in memory at a time."""
    current, step = None, None

    def answer(order, model, count):
        nonlocal current, step
        if model not in MODELS or not (order == "start" or (order == "step" and count.isdigit() and int(count) > 0)):
            raise ValueError(f"expected 'start MODEL' or 'step MODEL COUNT' with a model of {', '.join(MODELS)}, "
                             f"got '{' '.join((order, model, count)).strip()}'")
        if order == "start" or model != current:
            current = step = None
            forget_models()
            step = made(model)
            current = model
            if order == "step":
                timed(step, args.warmup)
        return timed(step, int(count) if order == "step" else 1)

    for line in sys.stdin:
        try:
            said = answer(*(line.split() + ["", "", ""])[:3])
        except Exception as error:  # whatever it is: the other programs' times are still wanted
            said = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(said), flush=True)


def main():
    if args.serve:
        return serve()
    for model in args.model.split(","):
        if model not in MODELS:
            sys.exit(f"--model {model}: expected one of {', '.join(MODELS)}")
        step = made(model)
        timed(step, args.warmup)
        result = timed(step, args.steps)
        wall = sorted(result["wall_ms"])
        print(json.dumps({
            "model": model, "batch": args.batch, "threads": args.threads, "steps": args.steps,
            "median_ms": round(statistics.median(wall), 3), "min_ms": round(wall[0], 3),
            "p90_ms": round(wall[int(0.9 * (len(wall) - 1))], 3),
            "cpu_per_wall": round(sum(result["cpu_ms"]) / sum(wall), 3), "peak_mib": round(result["peak_mib"], 1),
            "strong": args.strong, "channels_last": args.channels_last, "adam": args.adam,
            "onednn_deconv": args.onednn_deconv,
            "device": torch.cuda.get_device_name() if on_gpu else "cpu", "mode": args.mode, "precision": args.precision, "torch": torch.__version__, "processor": processor()}), flush=True)
    return None


if __name__ == "__main__":
    main()
