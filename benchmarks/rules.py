"""Two ratios that the package promises.  Run: python benchmarks/rules.py

1. A batch of 1,000 (β₁, β₂) settings for 200 Adam steps in two dimensions,
   against a plain Python loop that calls the same rule on 2-vectors, nothing
   recorded in either: at least 100.
2. One Adam step against torch.optim.Adam (single tensor, one thread) at 1e2
   and 1e4 parameters, where torch can be imported: above 1.

Each ratio is that of the medians of repetitions that alternate between the
two sides within one run, so that a slow moment of the machine hits both.
Both sides use one thread, and the times are processor times, so other work on
the machine counts little.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

from statistics import median  # noqa: E402
from time import process_time  # noqa: E402

import numpy as np  # noqa: E402

from descent import State, adam, run  # noqa: E402


CURVATURE = np.array([1.0, 50.0])


def gradient(theta):
    return theta * CURVATURE


def seconds(f):
    start = process_time()
    f()
    return process_time() - start


def alternate(repetitions, *sides):
    """The times of each side, in seconds."""
    times = [[seconds(f) for f in sides] for _ in range(repetitions)]
    return list(zip(*times))


def batch(settings=1000, steps=200, repetitions=5):
    rng = np.random.default_rng(0)
    beta1 = rng.uniform(0.0, 0.99, settings)
    beta2 = rng.uniform(0.9, 0.999, settings)
    theta0 = np.array([1.0, 1.0])

    def at_once():
        return run(adam, gradient, theta0, steps, alpha=0.01,
                   beta1=beta1[:, None], beta2=beta2[:, None], record=False)

    def one_by_one():
        ends = []
        for b1, b2 in zip(beta1.tolist(), beta2.tolist()):
            state = State(theta=theta0)
            for _ in range(steps):
                state = adam(state, gradient(state.theta), alpha=0.01,
                             beta1=b1, beta2=b2)
            ends.append(state.theta)
        return np.array(ends)

    assert np.abs(at_once().theta - one_by_one()).max() < 1e-12
    times = alternate(repetitions, at_once, one_by_one)
    together, single = map(median, times)
    print(f"{settings} Adam runs of {steps} steps in 2-D: at once "
          f"{together * 1e3:.1f} ms, one by one {single * 1e3:.0f} ms, "
          f"ratio {single / together:.0f}")
    return times


def step(size, dtype, repetitions=25, steps=200):
    import torch

    torch.set_num_threads(1)
    start = np.random.default_rng(0).standard_normal(size).astype(dtype)
    g = np.random.default_rng(1).standard_normal(size).astype(dtype)
    theta = torch.tensor(start, requires_grad=True)
    theta.grad = torch.tensor(g)
    optimizer = torch.optim.Adam([theta], lr=1e-3, foreach=False, fused=False)
    state = State(theta=start)

    def ours():
        nonlocal state
        for _ in range(steps):
            state = adam(state, g, alpha=1e-3)

    def theirs():
        for _ in range(steps):
            optimizer.step()

    ours(), theirs()
    assert state.theta.dtype == start.dtype
    error = np.abs(state.theta - theta.detach().numpy()).max()
    assert error < (1e-12 if dtype == "float64" else 1e-5), error
    a, b = (median(x) / steps for x in alternate(repetitions, ours, theirs))
    print(f"one Adam step, {size} parameters, {dtype}: descent "
          f"{a * 1e6:.1f} µs, torch {b * 1e6:.1f} µs, ratio {b / a:.2f}")


if __name__ == "__main__":
    batch()
    try:
        import torch
    except ImportError:
        print("torch is not installed: no comparison with torch.optim.Adam")
    else:
        print(f"torch {torch.__version__}")
        for size in (100, 10_000):
            for dtype in ("float64", "float32"):
                step(size, dtype)
