"""Record the trainings of chapter 7 in `code/descent/recorded/bias_correction.npz`.

Run `python experiments/bias_correction.py` from the top of the repository;
it takes some twenty minutes on one core.  The file is committed; the chapter
re-runs a part and compares.

Figure 4 of the Adam paper on the digits: with and without bias correction,
for three run lengths, at a constant rate and with a linear decay to zero.
Rates are chosen on ten seeds and reported on twenty others, by the same
measure: the mean over the seeds of the logarithm of the loss.
What the arrays hold, and in which order their axes stand, says
`descent.recorded.bias_correction.runs`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import numpy as np

from descent import adam
from descent.network import Network, train
from descent.recorded.data import digits, split

FILE = (Path(__file__).parents[1] / "code" / "descent" / "recorded"
        / "bias_correction.npz")
DIGITS = 4  # of each recorded number

ALPHA = np.logspace(-4, -0.5, 22)  # six rates a decade
BETA1, BETA2 = np.array([0.0, 0.9]), np.array([0.99, 0.999, 0.9999])
CORRECT = ["both", "none"]
EPOCHS = np.array([10, 30, 100])  # of 17 steps
TUNING, FRESH = np.arange(10), np.arange(100, 120)
STEPS = 17  # an epoch


def losses(seeds, epochs, decay=False, **hyper):
    """Training and validation loss by epoch, shape (2, epochs + 1, ...)."""
    alpha, steps = hyper.pop("alpha"), int(epochs) * STEPS
    (X, y), (X_val, y_val), _ = split(*digits())
    network = Network()
    result = train(network, adam, network.init(seeds), X / 16, y, seed=seeds,
                   epochs=int(epochs), validation=(X_val / 16, y_val), **hyper,
                   alpha=(lambda t: alpha * (1 - (t - 1) / steps))
                   if decay else alpha)
    assert result.state.t == steps
    return np.array([result.loss, result.validation_loss])


def tuned(beta1, beta2, correct, decay):
    """Losses at the end of each length, shape (2, lengths, alpha, seed)."""
    hyper = dict(alpha=ALPHA[:, None, None], beta1=beta1, beta2=beta2,
                 correct=correct)
    if decay:
        return np.stack([losses(TUNING, length, True, **hyper)[:, -1]
                         for length in EPOCHS], axis=1)
    return losses(TUNING, EPOCHS[-1], **hyper)[:, EPOCHS]


def reported(chosen, beta1, beta2, correct, decay):
    """Losses on fresh seeds at the chosen rates, shape (2, lengths, seed).

    chosen : rates by which the training and the validation loss are lowest,
        shape (2, lengths)
    """
    return np.stack([losses(
        FRESH, length, decay, alpha=chosen[:, i, None, None], beta1=beta1,
        beta2=beta2, correct=correct)[[0, 1], -1, [0, 1]]
        for i, length in enumerate(EPOCHS)], axis=1)


def rounded(x):
    """To DIGITS significant digits, which keeps the file small."""
    unit = 10.0 ** (np.floor(np.log10(np.abs(x))) - DIGITS + 1)
    return (np.round(x / unit) * unit).astype("f4")


def main():
    settings = [(beta1, decay) for decay in (False, True) for beta1 in BETA1]
    tuning, rates, fresh = [], [], []
    for beta1, decay in settings:
        for beta2 in BETA2:
            for correct in CORRECT:
                pair = beta1, beta2, correct, decay
                tuning.append(tuned(*pair))
                best = np.log(tuning[-1]).mean(-1).argmin(-1)
                rates.append(ALPHA[best])
                fresh.append(reported(ALPHA[best], *pair))
                print(*pair, flush=True)
    axes = 2, len(BETA1), len(BETA2), len(CORRECT)  # decay first
    tuning, rates, fresh = (np.stack(x).reshape(*axes, *x[0].shape)
                            for x in (tuning, rates, fresh))
    np.savez_compressed(
        FILE, loss=rounded(tuning), best=rates, fresh=rounded(fresh),
        alpha=ALPHA, beta1=BETA1, beta2=BETA2, correct=CORRECT, epochs=EPOCHS,
        tuning_seed=TUNING, fresh_seed=FRESH, steps=STEPS,
        decay=["constant", "linear decay"],
        measure=["training", "validation"])
    print(f"{FILE.name}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
