"""Ten steps of every optimizer from given weights and gradients.

`case/start/a`, `case/grad/a` {10, ...} and `case/after/a` {10, ...}: the weights after each step.  PyTorch's own
optimizers where it has that form; Keras' Adam and TensorFlow 1's RMSProp, which it has not, from their formulas.
"""
import torch

from layers import numbers

STEPS = 10


def gradients(shape, key):
    """Usual, tiny, huge and zero gradients: what tells an epsilon inside the root from one outside."""
    size = torch.tensor([1, 1, 1e-3, 1e-5, 1e-7, 1, 0, 100, 1, 1e-2], dtype=torch.float64)
    g = numbers(f"gradient/{key}", STEPS, *shape) * size.view(-1, *[1] * len(shape))
    return g.float().double()


def adam_keras(rate, beta1, beta2, epsilon):
    m, v, t = {}, {}, 0

    def step(weights, grads):
        nonlocal t
        t += 1
        for key, w in weights.items():
            m[key] = beta1 * m.get(key, 0) + (1 - beta1) * grads[key]
            v[key] = beta2 * v.get(key, 0) + (1 - beta2) * grads[key] ** 2
            w -= rate * (1 - beta2 ** t) ** 0.5 / (1 - beta1 ** t) * m[key] / (v[key].sqrt() + epsilon)
    return step


def rmsprop_tf1(rate, decay, epsilon):
    s = {}

    def step(weights, grads):
        for key, w in weights.items():
            s[key] = decay * s.get(key, torch.ones_like(w)) + (1 - decay) * grads[key] ** 2
            w -= rate * grads[key] / (s[key] + epsilon).sqrt()
    return step


def of_torch(kind, **options):
    optimizer = None
    own = {}  # the tensors of the first step: later ones share their memory

    def step(weights, grads):
        nonlocal optimizer
        if not own:
            own.update(weights)
            optimizer = kind(list(own.values()), **options)
        for key, w in own.items():
            assert w.data_ptr() == weights[key].data_ptr()
            w.grad = grads[key]
        optimizer.step()
    return step


OPTIMIZERS = {
    "adam_torch": lambda: of_torch(torch.optim.Adam, lr=1e-2, betas=(0.5, 0.9), eps=1e-8),
    "adam_torch_decay": lambda: of_torch(torch.optim.Adam, lr=1e-2, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
    "adam_keras": lambda: adam_keras(1e-2, 0.9, 0.999, 1e-7),
    "rmsprop_tf1": lambda: rmsprop_tf1(1e-2, 0.9, 1e-10),
    "sgd": lambda: of_torch(torch.optim.SGD, lr=1e-2),
    "sgd_momentum": lambda: of_torch(torch.optim.SGD, lr=1e-2, momentum=0.9, weight_decay=0.1),
}


def optimizers():
    tensors = {}
    for name, make in OPTIMIZERS.items():
        step, shapes = make(), {"a": (4, 6), "b": (13,)}
        weights = {key: numbers(f"weight/{key}", *shape) for key, shape in shapes.items()}
        grads = {key: gradients(shape, key) for key, shape in shapes.items()}
        after = {key: [] for key in shapes}
        tensors.update({f"{name}/start/{key}": w.clone() for key, w in weights.items()})
        tensors.update({f"{name}/grad/{key}": g for key, g in grads.items()})
        for i in range(STEPS):
            step(weights, {key: g[i] for key, g in grads.items()})
            for key, w in weights.items():
                after[key].append(w.clone())
        tensors.update({f"{name}/after/{key}": torch.stack(w) for key, w in after.items()})
    return tensors
