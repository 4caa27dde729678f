"""Checks of the exercises of chapter 18."""

import numpy as np

from descent.exercises.engine import check_value


def check_resting_places(answer):
    """Where L2 in Adam, AdamW and the paper's AdamW rest.

    For g = 0.002, λ = 0.05 and α = 0.01.

    >>> check_resting_places((-0.04, -0.04, -0.2))
    (L2, AdamW, paper): not right: [-0.04, -0.04, -0.2]
        likely cause: AdamW balances λθ with g/√v, not with g
    """
    g, lam, alpha = 0.002, 0.05, 0.01
    right = np.array([-g / lam, -1 / lam, -alpha / lam])
    check_value("(L2, AdamW, paper)", answer, right, wrong={
        "AdamW balances λθ with g/√v, not with g":
            [-g / lam, -g / lam, -alpha / lam],
        "the paper's λ is not multiplied by the rate": [*right[:2], -1 / lam],
        "this is the paper's λ times the rate twice":
            [*right[:2], -1 / (alpha * lam)],
        "the paper's α multiplies the quotient and not g":
            [*right[:2], -alpha * g / lam],
        "the first two are exchanged": right[[1, 0, 2]],
        "the signs are wrong: θ runs against the gradient": -right,
        "λ is in the denominator": [-g * lam, -lam, -alpha * lam]})


def check_carried_decay(answer):
    """λ in PyTorch's AdamW for a paper's λ, at two rates; the error else.

    The paper: α = 0.001, λ = 1e-5, cosine schedule η. Wanted: λ for the rate
    0.001, λ for the rate 0.004 with the same decay a step, and what λ = 1e-5
    copied as it is leaves of a weight after 100,000 steps of mean η = ½.

    >>> check_carried_decay((1e-5, 1e-5, 0.61))
    (λ, λ, left): not right: [1e-05, 1e-05, 0.61]
        likely cause: these λ are copied as they are: the decay is α λ a step
    """
    right = np.array([0.01, 0.0025, np.exp(-0.001 * 1e-5 * 50_000)])
    check_value("(λ, λ, left)", answer, right, wrong={
        "these λ are copied as they are: the decay is α λ a step":
            [1e-5, 1e-5, 0.61],
        "the decay a step is to stay: a larger rate needs a smaller λ":
            [0.01, 0.01, right[2]],
        "λ grows where the rate grows; α λ is to stay the same":
            [0.01, 0.04, right[2]],
        "left: this is the paper's own decay, λ η a step":
            [*right[:2], np.exp(-0.5)],
        "left: η is ½ in the mean, so half of α λ goes each step":
            [*right[:2], np.exp(-0.001)]})
