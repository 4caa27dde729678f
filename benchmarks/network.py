"""How long a grid of runs takes. Run `python benchmarks/network.py`.

One thread; processor time, which other programs disturb least.

The grid is that of figure 4 of Kingma and Ba (2015) on the digits: 2 values of
β₁, 3 of β₂, 5 of α, with and without bias correction, 5 seeds.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from time import process_time  # noqa: E402

import numpy as np  # noqa: E402

from descent import adam, network  # noqa: E402
from descent.recorded.data import digits, split  # noqa: E402

(X, y), *_ = split(*digits())
X = X / 16
net, seeds = network.Network(), np.arange(5)
theta0 = net.init(seeds)
grid = {
    "beta1": np.array([0.0, 0.9]).reshape(2, 1, 1, 1, 1),
    "beta2": np.array([0.99, 0.999, 0.9999]).reshape(3, 1, 1, 1),
    "alpha": np.logspace(-5, -1, 5).reshape(5, 1, 1),
}


def seconds(f, repeat=5):
    times = []
    for _ in range(repeat):
        start = process_time()
        f()
        times.append(process_time() - start)
    return min(times)


def both(**options):
    for correct in "both", "none":
        network.train(net, adam, theta0, X, y, seed=seeds, correct=correct,
                      **grid, **options)


def single(**options):
    network.train(net, adam, theta0[0], X, y, **options)


whole = seconds(lambda: both(epochs=2))
alone = seconds(lambda: single(epochs=2))
print(f"300 runs, 2 epochs: {whole:.2f} s; 15 epochs by proportion: "
      f"{7.5 * whole:.1f} s")
print(f"300 single runs / the grid of 300: {300 * alone / whole:.2f}")

product = np.broadcast_to(X[:64], (300, 64, 64))
W = np.random.default_rng(0).standard_normal((300, 64, 32))
floor = seconds(lambda: product @ W, 20)
flops = 2 * (64 * 64 * 32 * 2 + 64 * 32 * 10 * 3)
floor *= flops / (2 * 64 * 64 * 32)
theta = np.broadcast_to(theta0[0], (13, net.size))
gradient = seconds(lambda: net.grad(theta, X[:64], y[:64]), 50) * 300 / 13
print(f"gradient of a batch / its matrix products alone: "
      f"{gradient / floor:.2f}")

default = network.GROUP_BYTES
for runs in 1, 3, 13, 50, 150:
    network.GROUP_BYTES = runs * theta0[0].nbytes
    print(f"groups of {runs:3} runs / default groups of "
          f"{default // theta0[0].nbytes}: "
          f"{seconds(lambda: both(epochs=2)) / whole:.2f}")
