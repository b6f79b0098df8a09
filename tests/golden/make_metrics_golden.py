#!/usr/bin/env python3
"""Asks scikit-learn, scikit-image, SciPy, piq and PyTorch for metrics once, and writes the answers beside this file.

    python3 -m pip install torch numpy scipy scikit-learn scikit-image piq safetensors
    python3 tests/golden/make_metrics_golden.py

metrics.json holds inputs (exact decimals) and answers, both as doubles; inception.safetensors the features of two
images by the FID network with weights that tests/inception_test.cpp makes by the same formula.  See README.md.
"""
import importlib.metadata
import importlib.util
import json
import pathlib
import sys
import types
import zlib

import numpy as np
import scipy
import skimage
import sklearn
import torch
from scipy.ndimage import correlate
from scipy.optimize import linear_sum_assignment
from scipy.stats import entropy
from skimage.metrics import structural_similarity as ssim
from sklearn import metrics as sk
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import _t_sne
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from inception import save_features

HERE = pathlib.Path(__file__).parent


def rng(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def numbers(name, *shape, mean=0.0):
    return np.round(mean + rng(name).standard_normal(shape), 3)


def classification():
    draw = rng("classification")
    truth = draw.integers(0, 4, 60)
    guess = np.where(draw.random(60) < 0.6, truth, draw.integers(0, 4, 60))
    guess[guess == 2] = 1  # class 2 is never predicted
    label, probability = draw.integers(0, 2, 40), np.round(draw.random(40), 4)
    said = probability > 0.5
    return {"truth": truth, "predicted": guess, "confusion": sk.confusion_matrix(truth, guess),
            "accuracy": sk.accuracy_score(truth, guess),
            "macro_precision": sk.precision_score(truth, guess, average="macro", zero_division=0),
            "macro_recall": sk.recall_score(truth, guess, average="macro", zero_division=0),
            "label": label, "probability": probability, "binary_accuracy": sk.accuracy_score(label, said),
            "precision": sk.precision_score(label, said), "recall": sk.recall_score(label, said),
            "mse": sk.mean_squared_error(label, probability), "bce": sk.log_loss(label, probability)}


def agreement():
    draw = rng("agreement")
    cases = []
    for clusters, keep in ((5, 0.0), (5, 0.7), (12, 0.9)):
        a = draw.integers(0, 5, 150)
        b = np.where(draw.random(150) < keep, (3 * a + 1) % clusters, draw.integers(0, clusters, 150))
        counts = sk.cluster.contingency_matrix(a, b)
        rows, columns = linear_sum_assignment(-counts)
        cases.append({"a": a, "b": b, "nmi": sk.normalized_mutual_info_score(a, b),
                      "ari": sk.adjusted_rand_score(a, b), "matched": counts[rows, columns].sum() / 150})
    costs = []
    for rows, columns in ((1, 1), (5, 5), (7, 12), (30, 30)):
        cost = np.round(draw.standard_normal((rows, columns)), 3)
        costs.append({"cost": cost, "sum": cost[linear_sum_assignment(cost)].sum()})
    return {"pairs": cases, "assignments": costs}


def kmeans():
    x = np.concatenate([numbers(f"kmeans/{i}", 25, 3, mean=1.5 * i) for i in range(4)])
    start = x[[0, 1, 2, 60]]
    found = KMeans(4, init=start, n_init=1, max_iter=300, tol=1e-4, algorithm="lloyd").fit(x)
    best = KMeans(4, n_init=50, random_state=1).fit(x)
    return {"x": x, "start": start, "centres": found.cluster_centers_, "labels": found.labels_,
            "inertia": found.inertia_, "best_inertia": best.inertia_}


def features():
    a, b = numbers("features/a", 60, 5), numbers("features/b", 70, 5, mean=0.4) * [1, 2, 0.5, 1, 1]
    few_a, few_b = numbers("features/few_a", 8, 20), numbers("features/few_b", 9, 20, mean=0.3)
    p = np.exp(numbers("features/p", 50, 6))
    p = np.round(p / p.sum(1, keepdims=True), 5)
    p[:, 0] += 1 - p.sum(1)

    def frechet(x, y):
        root = scipy.linalg.sqrtm(np.cov(x.T) @ np.cov(y.T)).real
        return ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(np.cov(x.T) + np.cov(y.T) - 2 * root)

    def mmd(x, y):
        same = lambda z: (polynomial_kernel(z, degree=3).sum() - np.trace(polynomial_kernel(z, degree=3))) / (
            len(z) * (len(z) - 1))
        return same(x) + same(y) - 2 * polynomial_kernel(x, y, degree=3).mean()

    k = 5
    radius = {s: NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, -1] for s, x in (("a", a), ("b", b))}
    distance = sk.pairwise_distances(a, b)
    inside_a, inside_b = distance < radius["a"][:, None], distance < radius["b"][None, :]
    return {"a": a, "b": b, "frechet": frechet(a, b), "few_a": few_a, "few_b": few_b,
            "few_frechet": frechet(few_a, few_b), "probabilities": p,
            "inception_score": np.exp(np.mean([entropy(row, p.mean(0)) for row in p])), "mmd": mmd(a, b),
            "precision": inside_a.any(0).mean(), "recall": inside_b.any(1).mean(),
            "density": inside_a.sum(0).mean() / k, "coverage": inside_a.any(1).mean()}


def pictures(height, width):
    """Four images of strokes, and one of noise."""
    draw, images = rng(f"pictures/{height}x{width}"), []
    y, x = np.mgrid[:height, :width]
    for _ in range(4):
        image = np.zeros((height, width))
        for _ in range(3):
            ends = draw.random((2, 2)) * [height - 1, width - 1]
            for t in np.linspace(0, 1, 40):
                cy, cx = ends[0] * (1 - t) + ends[1] * t
                image = np.maximum(image, 255 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 2))
        images.append(image)
    images.append(draw.random((height, width)) * 255)
    return np.round(images)


def piq_fsim():
    """piq.fsim alone: the package as a whole also wants torchvision."""
    spec = importlib.util.find_spec("piq")
    package = types.ModuleType("piq")
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules["piq"] = package
    from piq.fsim import fsim
    return fsim


def fsim_maps(image):
    """Phase congruency and gradient by the formulas of Kovesi (1999) and Zhang et al. (2011), through NumPy's FFT."""
    height, width = image.shape
    u, v = np.fft.fftfreq(width)[None, :], np.fft.fftfreq(height)[:, None]
    radius, angle = np.hypot(u, v), np.arctan2(-v, u)
    radius[0, 0] = 1
    low_pass = 1 / (1 + (np.where(radius == 1, 0, radius) / 0.45) ** 30)
    spectrum, total_energy, total_amplitude = np.fft.fft2(image), 0, 0
    for o in range(4):
        turn = angle - o * np.pi / 4
        turn = np.arctan2(np.sin(turn), np.cos(turn))
        filters = []
        for s in range(4):
            f = np.exp(-np.log(radius * 6 * 2**s) ** 2 / (2 * np.log(0.55) ** 2)) * low_pass
            f[0, 0] = 0
            filters.append(f * np.exp(-turn**2 / (2 * (np.pi / 4 / 1.2) ** 2)))
        filters = np.array(filters)
        response = np.fft.ifft2(spectrum * filters)
        total = response.sum(0)
        mean = total / (np.abs(total) + 1e-4)
        turned = response * mean.conj()
        energy = (turned.real - np.abs(turned.imag)).sum(0)
        spread = np.sqrt(height * width) * np.fft.ifft2(filters).real
        power = np.median(np.abs(response[0]) ** 2) / np.log(2) / (filters[0] ** 2).sum()
        noise = power * (2 * (spread**2).sum() + 2 * ((spread.sum(0) ** 2).sum() - (spread**2).sum()))
        tau = np.sqrt(noise / 2)
        threshold = (tau * np.sqrt(np.pi / 2) + 2 * np.sqrt((2 - np.pi / 2)) * tau) / 1.7
        total_energy = total_energy + np.maximum(energy - threshold, 0)
        total_amplitude = total_amplitude + np.abs(response).sum(0)
    scharr = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    gradient = np.hypot(*(correlate(image, k, mode="constant") for k in (scharr, scharr.T)))
    return (total_energy + 1e-4) / (total_amplitude + 1e-4), gradient


def fsim_of(a, b):
    (p, g), (q, h) = fsim_maps(a), fsim_maps(b)
    alike = (2 * p * q + 0.85) / (p**2 + q**2 + 0.85) * (2 * g * h + 160) / (g**2 + h**2 + 160)
    return (alike * np.maximum(p, q)).sum() / np.maximum(p, q).sum()


def images():
    result, piq = [], piq_fsim()
    for height, width in ((28, 28), (20, 33)):
        set_ = pictures(height, width)
        pairs = [(a, b) for a in set_ for b in set_]
        as_torch = lambda x: torch.from_numpy(x)[None, None] / 255
        case = {"height": height, "width": width, "pixels": set_.astype(int),
                "uniform7": [ssim(a, b, data_range=255) for a, b in pairs],
                "fsim": [fsim_of(a, b) for a, b in pairs]}
        # The mean over windows inside the image: scikit-image crops by what the Gaussian reaches (5 pixels).
        case["gauss11"] = [ssim(a, b, data_range=255, gaussian_weights=True, sigma=1.5, truncate=3.5,
                                use_sample_covariance=False) for a, b in pairs]
        if height == width:
            case["piq"] = [piq(as_torch(a), as_torch(b), chromatic=False).item() for a, b in pairs]
            print("FSIM, formulas against piq:", np.abs(np.subtract(case["fsim"], case["piq"])).max())
        result.append(case)
    return result


def tsne():
    x = np.concatenate([numbers(f"tsne/{i}", 20, 6, mean=1.2 * i) for i in range(3)])
    reduced = PCA(4, svd_solver="full").fit(x)
    components = reduced.transform(x)
    squares = sk.pairwise_distances(x, metric="sqeuclidean")
    joint = _t_sne._joint_probabilities(squares, 10, 0)
    points = components[:, :2] / components[:, 0].std() * 1e-4
    scattered = numbers("tsne/points", 60, 2)
    divergence, gradient = _t_sne._kl_divergence(scattered.ravel(), joint, 1, 60, 2)
    moved, _, _ = _t_sne._gradient_descent(_t_sne._kl_divergence, points.ravel(), it=0, max_iter=8, momentum=0.5,
                                           learning_rate=50.0, min_grad_norm=0,
                                           n_iter_without_progress=100, args=[12 * joint, 1, 60, 2])
    return {"x": x, "components": components, "joint": scipy.spatial.distance.squareform(joint)[0],
            "points": scattered, "divergence": divergence, "gradient": gradient.reshape(60, 2),
            "after_8": moved.reshape(60, 2)}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def main():
    made_by = {"scikit-learn": sklearn.__version__, "scikit-image": skimage.__version__, "scipy": scipy.__version__,
               "piq": importlib.metadata.version("piq")}
    golden = {"made_by": made_by, "classification": classification(), "agreement": agreement(), "kmeans": kmeans(),
              "features": features(), "images": images(), "tsne": tsne()}
    path = HERE / "metrics.json"
    path.write_text(json.dumps(plain(golden), separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB, {made_by}")
    save_features(HERE / "inception.safetensors")


if __name__ == "__main__":
    main()
