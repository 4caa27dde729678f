"""The optimizers of the recorded runs, in PyTorch: the equations of the book on one flat vector.

A rule takes a gradient g, the averages m and v (changed in place) and a row of hyperparameters,
and returns the direction u of the step: p becomes p (1 − α λ) − α u.  tests/test_transformer.py
compares each rule with the package `descent` on the same gradients.
"""

from typing import NamedTuple

import numpy as np
import torch

EPS = 1e-8      # outside the root, everywhere


class Hyper(NamedTuple):
    """One row of `hyper_table`."""

    lr: torch.Tensor        # α of this step
    b1: torch.Tensor        # β₁, or μ of momentum
    a1: torch.Tensor        # 1 − β₁
    b2: torch.Tensor
    a2: torch.Tensor        # 1 − β₂
    eps: torch.Tensor
    c1: torch.Tensor        # 1 − β₁^t where m is corrected, else 1
    c2: torch.Tensor        # 1 − β₂^t where v is corrected, else 1
    decay: torch.Tensor     # λ of AdamW


def sgd(g, m, v, h):
    return g


def momentum(g, m, v, h):
    m.copy_(h.b1 * m + g)
    return m


def signum(g, m, v, h):
    m.copy_(h.b1 * m + h.a1 * g)
    return m.sign()


def rmsprop(g, m, v, h):
    v.copy_(h.b2 * v + h.a2 * g * g)
    return g / (v.sqrt() + h.eps)


def centered(g, m, v, h):
    v.copy_(h.b2 * v + h.a2 * g * g)
    m.copy_(h.b2 * m + h.a2 * g)
    return g / ((v - m * m).sqrt() + h.eps)


def adam(g, m, v, h):       # AdamW where the decay is positive
    m.copy_(h.b1 * m + h.a1 * g)
    v.copy_(h.b2 * v + h.a2 * g * g)
    return (m / h.c1) / ((v / h.c2).sqrt() + h.eps)


RULES = {rule.__name__: rule for rule in (sgd, momentum, signum, rmsprop, centered, adam)}


def stepper(rule):
    """A function that makes one step and returns what is recorded of it."""
    def step(p, g, m, v, row, hidden):
        h = Hyper(*row.unbind())
        u = rule(g, m, v, h)
        p.copy_(p * (1 - h.lr * h.decay) - h.lr * u)
        inner = u[hidden:]                  # blocks and last norm, without embeddings and head
        return torch.stack([
            g.square().sum().sqrt(), u.square().mean().sqrt(), u.abs().amax(),
            (u != 0).float().mean(), inner.square().mean().sqrt(), inner.abs().amax()])
    return step


def hyper_table(setting, steps, dtype=torch.float32):
    """One row of hyperparameters a step, computed in float64; shape (steps, 9)."""
    t, one, b1, b2 = np.arange(1, steps + 1), np.ones(steps), setting["b1"], setting["b2"]
    lr = setting["lr"] * (np.minimum(1, t / setting["warmup"]) if setting["warmup"] else one)
    c1 = 1 - b1**t if setting["correction"] in ("both", "m") and b1 else one
    c2 = 1 - b2**t if setting["correction"] == "both" else one
    columns = [lr, b1 * one, (1 - b1) * one, b2 * one, (1 - b2) * one, EPS * one, c1, c2,
               setting["wd"] * one]
    return torch.tensor(np.stack(columns, 1), dtype=dtype)
