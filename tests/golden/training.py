"""Ten steps of four GANs, from given weights, images and noise: every loss, and the weights at the end.

The networks are the papers' with few channels.  Entries: `initial.NETWORK.LAYER.NAME`, `final.` likewise, `loss_d`,
`loss_g`, and what the steps read, one sample after the other: `x`, `z`, `u`, `labels`.  Everything is a function of
dictionaries of tensors, so that the convention of each layer stands here in full and none is inherited from a class.
"""
import numpy as np
import torch
import torch.nn.functional as F

from layers import numbers
from optimizers import STEPS, adam_keras, of_torch


def glorot(name, *shape):
    """Uniform, a = sqrt(6 / (fan_in + fan_out)); fans of a kernel include its area."""
    area = int(np.prod(shape[2:]))
    bound = (6 / (area * (shape[0] + shape[1]))) ** 0.5
    uniform = torch.special.ndtr(numbers(name, *shape)) * 2 - 1
    return (uniform * bound).float().double()


def norm_state(name, channels, gamma):
    """gamma and beta drawn, so that a test sees them used; running values as at the start of every training."""
    state = {f"{name}.beta": numbers(f"{name}/beta", channels, scale=0.1),
             f"{name}.running_mean": torch.zeros(channels).double(), f"{name}.running_variance": torch.ones(channels).double()}
    if gamma:
        state[f"{name}.gamma"] = (1 + numbers(f"{name}/gamma", channels, scale=0.1)).float().double()
    return state


def batch_norm(p, name, x, keep, update):
    """eps 1e-3, statistics of the batch; running values move by the biased variance (Keras, TF)."""
    if update:
        with torch.no_grad():
            dims = [0, 2, 3] if x.dim() == 4 else [0]
            p[f"{name}.running_mean"].mul_(keep).add_((1 - keep) * x.mean(dims))
            p[f"{name}.running_variance"].mul_(keep).add_((1 - keep) * x.var(dims, unbiased=False))
    return F.batch_norm(x, None, None, p.get(f"{name}.gamma"), p[f"{name}.beta"], training=True, eps=1e-3)


def up(p, name, x, stride, begin, end):
    """SAME transposed convolution: the full output without `begin` first and `end` last rows and columns."""
    y = F.conv_transpose2d(x, p[f"{name}.weight"], p.get(f"{name}.bias"), stride=stride)
    return y[:, :, begin:y.shape[2] - end, begin:y.shape[3] - end]


def down(p, name, x, begin, end):
    return F.conv2d(F.pad(x, (begin, end, begin, end)), p[f"{name}.weight"], p[f"{name}.bias"], stride=2)


def dense(p, name, x):
    return F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))


def learned(p):
    """The parameters of a network in order of declaration: everything but the running statistics."""
    return {key: w for key, w in p.items() if ".running_" not in key}


def descend(optimizer, p, loss):
    weights = learned(p)
    grads = torch.autograd.grad(loss, list(weights.values()), retain_graph=True)
    return lambda: optimizer({k: w.detach() for k, w in weights.items()}, dict(zip(weights, grads)))


def images(batch, steps):
    """Soft blobs at random places in [-1, 1]: smooth like strokes, and no file is needed."""
    grid = torch.arange(28).double()
    centre = 14 + 3 * numbers("blob/centre", steps * batch, 2)
    width = 3 + numbers("blob/width", steps * batch, 2).abs()
    axis = [torch.exp(-((grid - centre[:, i:i + 1]) / width[:, i:i + 1]) ** 2) for i in (0, 1)]
    x = 2 * axis[0][:, :, None] * axis[1][:, None, :] - 1
    return x.view(steps, batch, 1, 28, 28).float().double()


# ---- Abadi's DCGAN (papers: Abadi), alpha = 1/16, dropout rate 0 ------------------------------------------------

def dcgan_generator(p, z):
    h = F.conv_transpose2d(z[:, :, None, None], p["project.weight"])  # a dense layer and a reshape
    h = F.leaky_relu(batch_norm(p, "norm0", h, 0.99, True), 0.3)
    h = F.leaky_relu(batch_norm(p, "norm1", up(p, "up1", h, 1, 2, 2), 0.99, True), 0.3)
    h = F.leaky_relu(batch_norm(p, "norm2", up(p, "up2", h, 2, 1, 2), 0.99, True), 0.3)
    return torch.tanh(up(p, "up3", h, 2, 1, 2))


def dcgan_discriminator(p, x):
    h = F.leaky_relu(down(p, "down1", x, 1, 2), 0.3)
    h = F.leaky_relu(down(p, "down2", h, 1, 2), 0.3)
    return F.conv2d(h, p["score.weight"], p["score.bias"]).flatten(1)  # flatten and a dense layer


def dcgan_networks():
    g = {"project.weight": glorot("g/project", 8 * 7 * 7, 100).T.reshape(100, 8, 7, 7), **norm_state("norm0", 8, True),
         "up1.weight": glorot("g/up1", 8, 8, 5, 5), **norm_state("norm1", 8, True),
         "up2.weight": glorot("g/up2", 8, 4, 5, 5), **norm_state("norm2", 4, True),
         "up3.weight": glorot("g/up3", 4, 1, 5, 5)}
    d = {"down1.weight": glorot("d/down1", 2, 1, 5, 5), "down1.bias": numbers("d/down1/bias", 2, scale=0.1),
         "down2.weight": glorot("d/down2", 4, 2, 5, 5), "down2.bias": numbers("d/down2/bias", 4, scale=0.1),
         "score.weight": glorot("d/score", 1, 196).view(1, 4, 7, 7), "score.bias": numbers("d/score/bias", 1, scale=0.1)}
    return {"generator": g, "discriminator": d}


def dcgan(dtype=torch.float64, batch=8):
    """Both gradients come from one forward pass, then both networks move: Keras' Adam, rate 1e-3, eps 1e-7."""
    nets = dcgan_networks()
    x, z = images(batch, STEPS), numbers("dcgan/z", STEPS, batch, 100)
    bce = F.binary_cross_entropy_with_logits

    def step(g, d, x, z, optimizers):
        fake = dcgan_generator(g, z)
        real_score, fake_score = dcgan_discriminator(d, x), dcgan_discriminator(d, fake)
        one, zero = torch.ones_like(real_score), torch.zeros_like(real_score)
        loss_d = (bce(real_score, one) + bce(fake_score, zero)) / 2
        loss_g = bce(fake_score, one)
        moves = descend(optimizers[1], d, loss_d), descend(optimizers[0], g, loss_g)
        for move in moves:
            move()
        return {"loss_d": loss_d, "loss_g": loss_g}

    adam = adam_keras(1e-3, 0.9, 0.999, 1e-7), adam_keras(1e-3, 0.9, 0.999, 1e-7)
    return train(nets, {"x": x, "z": z}, lambda g, d, data: step(g, d, data["x"], data["z"], adam), dtype)


# ---- WGAN-GP with ClusterGAN's networks (papers: Kim & Lee), an eighth of the width and less ---------------------

def wgan_generator(p, z, update):
    h = F.relu(batch_norm(p, "norm0", dense(p, "hidden", z), 0.99, update))
    h = F.relu(batch_norm(p, "norm1", dense(p, "project", h).view(-1, 8, 7, 7), 0.99, update))
    h = F.relu(batch_norm(p, "norm2", up(p, "up1", h, 2, 1, 1), 0.99, update))
    return torch.sigmoid(up(p, "up2", h, 2, 1, 1))


def wgan_critic(p, x):
    h = F.leaky_relu(down(p, "conv1", x, 1, 1), 0.2)
    h = F.leaky_relu(down(p, "conv2", h, 1, 1), 0.2)
    return dense(p, "score", F.leaky_relu(dense(p, "hidden", h.flatten(1)), 0.2))


def wgan_networks():
    def layer(name, out_axis, *shape):
        return {f"{name}.weight": glorot(f"wgan/{name}", *shape),
                f"{name}.bias": numbers(f"wgan/{name}/bias", shape[out_axis], scale=0.1)}
    g = {**layer("hidden", 0, 64, 40), **norm_state("norm0", 64, False),
         **layer("project", 0, 392, 64), **norm_state("norm1", 8, False),
         **layer("up1", 1, 8, 4, 4, 4), **norm_state("norm2", 4, False), **layer("up2", 1, 4, 1, 4, 4)}
    d = {**layer("conv1", 0, 4, 1, 4, 4), **layer("conv2", 0, 8, 4, 4, 4), **layer("hidden", 0, 32, 392),
         **layer("score", 0, 1, 32)}
    return {"generator": g, "critic": d}


def gradient_penalty(d, real, fake, u):
    mixed = (u * real + (1 - u) * fake).requires_grad_(True)
    slope, = torch.autograd.grad(wgan_critic(d, mixed).sum(), mixed, create_graph=True)
    return ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()


def wgan_gp(dtype=torch.float64, batch=6, critic_steps=2):
    """Adam in torch form, rate 1e-3, betas 0.5 and 0.9, eps 1e-8.  Running statistics move in the generator's step only."""
    nets = wgan_networks()
    u = torch.special.ndtr(numbers("wgan/u", STEPS, critic_steps, batch, 1, 1, 1)).float().double()
    data = {"x": (images(batch * critic_steps, STEPS).view(STEPS, critic_steps, batch, 1, 28, 28) + 1) / 2,
            "u": u, "z": numbers("wgan/z", STEPS, critic_steps + 1, batch, 40)}  # the generator's z comes last
    options = dict(lr=1e-3, betas=(0.5, 0.9), eps=1e-8)
    adam = of_torch(torch.optim.Adam, **options), of_torch(torch.optim.Adam, **options)

    def step(g, d, data):
        losses, x, z = [], data["x"], data["z"]
        for i in range(critic_steps):
            with torch.no_grad():
                fake = wgan_generator(g, z[i], update=False)
            loss_d = wgan_critic(d, fake).mean() - wgan_critic(d, x[i]).mean()
            loss_d = loss_d + 10 * gradient_penalty(d, x[i], fake, data["u"][i])
            descend(adam[1], d, loss_d)()
            losses.append(loss_d.detach())
        loss_g = -wgan_critic(d, wgan_generator(g, z[critic_steps], update=True)).mean()
        descend(adam[0], g, loss_g)()
        return {"loss_d": torch.stack(losses), "loss_g": loss_g}

    return train(nets, data, step, dtype)


def train(nets, data, step, dtype):
    """Runs STEPS steps in `dtype` and returns the tensors of the file."""
    sample_axes = {"x": 3, "u": 3, "z": 1, "labels": 0}
    tensors = {**{key: x.reshape(-1, *x.shape[x.dim() - sample_axes[key]:]) for key, x in data.items()},
               **{f"initial.{net}.{key}": w.clone() for net, p in nets.items() for key, w in p.items()}}
    nets = {net: {key: w.to(dtype).requires_grad_(".running_" not in key) for key, w in p.items()}
            for net, p in nets.items()}
    losses = [step(*nets.values(), {key: x[i].to(dtype) for key, x in data.items()}) for i in range(STEPS)]
    for key in losses[0]:
        tensors[key] = torch.stack([loss[key].detach() for loss in losses])
    tensors.update({f"final.{net}.{key}": w for net, p in nets.items() for key, w in p.items()})
    return tensors


# ---- ClusterGAN and CLS-R GAN (papers: Kim & Lee), 1/16 of the width ---------------------------------------------

def cluster_trunk(p, x):
    h = F.leaky_relu(down(p, "trunk.down1", x, 1, 1), 0.2)
    h = F.leaky_relu(down(p, "trunk.down2", h, 1, 1), 0.2)
    return F.leaky_relu(F.conv2d(h, p["trunk.hidden.weight"], p["trunk.hidden.bias"]).flatten(1), 0.2)


def cluster_classifier(p, x):
    for layer in "conv1", "conv2":
        x = F.max_pool2d(F.relu(F.conv2d(x, p[f"{layer}.weight"], p[f"{layer}.bias"], padding=1)), 2)
    hidden = F.relu(F.conv2d(x, p["hidden.weight"], p["hidden.bias"]).flatten(1))
    return dense(p, "scores", hidden)


def cluster_networks():
    def layer(net, name, out_axis, *shape):
        return {f"{name}.weight": glorot(f"cluster/{net}/{name}", *shape),
                f"{name}.bias": numbers(f"cluster/{net}/{name}/bias", shape[out_axis], scale=0.1)}

    def trunk(net):
        return {**layer(net, "trunk.down1", 0, 4, 1, 4, 4), **layer(net, "trunk.down2", 0, 8, 4, 4, 4),
                **layer(net, "trunk.hidden", 0, 64, 8, 7, 7)}
    g = {**layer("g", "hidden", 0, 64, 40), **norm_state("norm0", 64, False),
         **layer("g", "project", 0, 392, 64), **norm_state("norm1", 8, False),
         **layer("g", "up1", 1, 8, 4, 4, 4), **norm_state("norm2", 4, False), **layer("g", "up2", 1, 4, 1, 4, 4)}
    d = {**trunk("d"), **layer("d", "score", 0, 1, 64)}
    e = {**trunk("e"), **layer("e", "code", 0, 40, 64)}
    c = {**layer("c", "conv1", 0, 2, 1, 3, 3), **layer("c", "conv2", 0, 4, 2, 3, 3), **layer("c", "hidden", 0, 8, 4, 7, 7),
         **layer("c", "scores", 0, 10, 8)}
    return {"generator": g, "critic": d, "encoder": e, "classifier": c}


def cluster_step(g, d, e, c, data, adam, quality):
    """Two critic steps and one of generator and encoder; the classifier does not move."""
    labels = data["labels"].long()
    losses, latent = [], torch.cat([data["z"], F.one_hot(labels, 10)], -1)
    for i in range(len(data["x"])):
        with torch.no_grad():
            fake = wgan_generator(g, latent[i], update=False)
        mixed = (data["u"][i] * data["x"][i] + (1 - data["u"][i]) * fake).requires_grad_(True)
        critic = lambda x: dense(d, "score", cluster_trunk(d, x))  # noqa: E731
        slope, = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        penalty = ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()
        loss_d = critic(fake).mean() - critic(data["x"][i]).mean() + 10 * penalty
        descend(adam[1], d, loss_d)()
        losses.append(loss_d.detach())
    fake = wgan_generator(g, latent[-1], update=True)
    code = dense(e, "code", cluster_trunk(e, fake))
    loss_g = -dense(d, "score", cluster_trunk(d, fake)).mean()
    loss_g = loss_g + 10 * F.mse_loss(code[:, :30], data["z"][-1]) + 10 * F.cross_entropy(code[:, 30:], labels[-1])
    if quality:
        loss_g = loss_g + F.cross_entropy(cluster_classifier(c, fake), labels[-1])
    both = {**{f"g.{key}": w for key, w in learned(g).items()}, **{f"e.{key}": w for key, w in learned(e).items()}}
    descend(adam[0], both, loss_g)()
    return {"loss_d": torch.stack(losses), "loss_g": loss_g}


def cluster_gan(dtype=torch.float64, batch=4, critic_steps=2):
    """From one start, with the same images and noise: `cluster/...` without, `cls_r/...` with the quality loss."""
    start = cluster_networks()
    labels = (numbers("cluster/labels", STEPS, critic_steps + 1, batch) * 1000).floor() % 10
    u = torch.special.ndtr(numbers("cluster/u", STEPS, critic_steps, batch, 1, 1, 1)).float().double()
    data = {"x": (images(batch * critic_steps, STEPS).view(STEPS, critic_steps, batch, 1, 28, 28) + 1) / 2,
            "u": u, "z": numbers("cluster/z", STEPS, critic_steps + 1, batch, 30, scale=0.1), "labels": labels}
    tensors = {}
    for method in "cluster", "cls_r":
        adam = tuple(of_torch(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.9), eps=1e-8) for _ in range(2))
        nets = {net: {key: w.clone() for key, w in p.items()} for net, p in start.items()}
        made = train(nets, data, lambda g, d, e, c, now: cluster_step(g, d, e, c, now, adam, method == "cls_r"), dtype)
        for key, x in made.items():
            tensors[f"{method}/{key}" if key.startswith(("loss", "final")) else key] = x
    kept = "cls_r/final.generator", "cls_r/final.critic", "cls_r/final.encoder"
    return {key: x for key, x in tensors.items() if "final." not in key or key.startswith(kept)}
