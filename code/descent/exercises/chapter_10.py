"""Checks of the exercises of chapter 10."""

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, _call, _undone,
                                      check_function, check_value,
                                      never_raises)
from descent.loop import run
from descent.rules import adam


def check_signal_shows(answer):
    """Mean step at η = 10, and the steps until the signal's way shows.

    >>> check_signal_shows((0.1, 100))
    mean step and steps: not right: [0.1, 100]
        likely cause: this is 1/η; below the root stands 1 + η²
    """
    step = theory.mean_step(10.0)
    F1, F2 = (theory.rms_step_on_noise(beta) ** 2 for beta in (0.9, 0.999))
    return check_value("mean step and steps", answer, np.array([step, 100]),
                       rtol=1e-3, wrong={
        "this is 1/η; below the root stands 1 + η²": [0.1, 100],
        "this is the share of the signal; take its root": [step**2, 100],
        "the order is step, number of steps": [100, step],
        "noise grows with the root of the number of steps": [step, 10],
        "the steps are not independent: momentum spreads each gradient "
        "over many of them, and nothing of it is lost":
            [step, 100 * F1],
        "the averages keep the whole sum; β₂ does not matter here":
            [step, 100 * F2]})


def check_share_on_noise(answer):
    """What m²/v tends to on pure noise, for β = 0.9.

    >>> check_share_on_noise(0.0)
    share on pure noise: not right: 0
        likely cause: an average keeps some of the noise, and its square counts
    """
    return check_value("share on pure noise", answer, 0.1 / 1.9, wrong={
        "an average keeps some of the noise, and its square counts": 0.0,
        "this is the step; the function returns its square":
            theory.rms_step_on_noise(0.9),
        "the squares of the weights count, and their sum": 0.1})


def _signal_share(gradients, beta, corrected=True, late=False, whole=True):
    t = len(gradients)
    last = run(adam, theta0=np.zeros(gradients.shape[-1]),
               gradients=gradients, beta1=beta, beta2=beta, record=False)
    Q = (last.m**2).sum() / last.v.sum()
    if corrected:
        Q = Q / (1 - beta**t)
    F = theory.rms_step_on_noise(beta) ** 2
    if not late:
        F = F * (1 + beta**t) / (1 - beta**t)
    return (Q - F) / (1 - F) if whole else Q - F


def check_signal_share(function):
    """Check ``signal_share(gradients, beta)``, gradients (steps, coordinates).

    >>> check_signal_share(lambda gradients, beta: None)
    <lambda>: not done yet
    """
    def quotient(g, beta, corrected):
        last = run(adam, theta0=np.zeros(g.shape[-1]), gradients=g,
                   beta1=beta, beta2=beta, record=False)
        if corrected:
            return (last.m_hat**2).sum() / last.v_hat.sum()
        return (last.m**2).sum() / last.v.sum()

    def each(g, beta):
        last = run(adam, theta0=np.zeros(g.shape[-1]), gradients=g,
                   beta1=beta, beta2=beta, record=False)
        t, F = len(g), theory.rms_step_on_noise(beta) ** 2
        F = F * (1 + beta**t) / (1 - beta**t)
        return ((last.m_hat**2 / last.v_hat).mean() - F) / (1 - F)

    noise = np.random.default_rng(10).standard_normal((40, 50))
    return check_function(
        function, _signal_share,
        inputs=[(1 + noise[:5], 0.9), (noise, 0.8), (2 + noise, 0.95)],
        quantities=("share",), wrong={
            "this is the snippet": lambda g, b: quotient(g, b, False),
            "the averages are corrected; the noise in m̂² is still there":
                lambda g, b: quotient(g, b, True),
            "F₁ is right late; early the sum of the squared weights is larger":
                lambda g, b: _signal_share(g, b, late=True),
            "the averages are not corrected":
                lambda g, b: _signal_share(g, b, corrected=False),
            "neither the averages nor the factor are corrected":
                lambda g, b: _signal_share(g, b, corrected=False, late=True),
            "divide by 1 − F: the noise has left the numerator only":
                lambda g, b: _signal_share(g, b, whole=False),
            "sum first, then divide; a mean of quotients is another number":
                each})


def check_dealt_noise(function):
    """Check ``f(beta, n)``: what m keeps of noise that sums to zero.

    >>> check_dealt_noise(lambda beta, n: (1 - beta) / (1 + beta))
    <lambda>: the result is wrong
        yours: 0.0526316
        right: 0.0112879
        input: (0.9, 17)
        likely cause: this is F₁, of independent noises
    """
    def kept(product=lambda n: -1 / (n - 1), earlier=lambda b, n: b**(2 * n)):
        def factor(beta, n):
            w = (1 - beta) * beta ** np.arange(n)
            squares = (w**2).sum()
            return ((squares + product(n) * (w.sum() ** 2 - squares))
                    / (1 - earlier(beta, n)))
        return factor

    return check_function(
        function, kept(), inputs=[(0.9, 17), (0.5, 4), (0.98, 10)],
        wrong={
            "this is F₁, of independent noises":
                lambda beta, n: (1 - beta) / (1 + beta),
            "earlier epochs are still in m": kept(earlier=lambda b, n: 0.0),
            "an earlier epoch counts β²ⁿ less in the variance, not βⁿ":
                kept(earlier=lambda b, n: b**n),
            "the products are negative: the noises sum to zero":
                kept(product=lambda n: 1 / (n - 1)),
            "there are n(n − 1) products for n squares, not n²":
                kept(product=lambda n: -1 / n)})


def loss_at_the_end(rates, lam=1.0, runs=2000):
    """θ after default Adam with these rates from θ = 1, noise of size 1."""
    noise = np.random.default_rng(10)
    last = run(adam, lambda theta: lam * theta + noise.standard_normal(
        theta.shape), np.ones((runs, 1)), len(rates), record=False,
        alpha=lambda t: rates[t - 1])
    return last.theta[:, 0]


def check_decay(schedule):
    """A schedule for 1000 steps in a known valley; mean loss ≤ 0.0006.

    >>> check_decay(lambda t: None)
    your schedule: not done yet
    >>> check_decay(lambda t: 0.01)
    your schedule: the mean loss at the end is 0.0024; 0.0006 is asked for
        likely cause: the last rates are as large as the first: a floor stays
    """
    return _check_decay(schedule)


@never_raises
def _check_decay(schedule):
    try:
        return "your schedule", _judge_decay(schedule)
    except Complaint as complaint:
        return "your schedule", str(complaint)


def _judge_decay(schedule):
    if _undone(schedule):
        return "not done yet"
    if not callable(schedule):
        return "it must be a function of t"
    rates = [_call(schedule, (t,)) for t in range(1, 1001)]
    if rates[0] is None:
        return "not done yet"
    try:
        rates = np.array(rates, dtype=float)
    except (TypeError, ValueError):
        rates = np.array([np.nan])
    if rates.shape != (1000,) or not ((0 <= rates) & (rates <= 1)).all():
        return "each rate is a number from 0 to 1"
    theta = loss_at_the_end(rates)
    loss = (theta**2).mean() / 2
    if loss <= 6e-4:
        return "correct"
    return (f"the mean loss at the end is {loss:.2g}; 0.0006 is asked for"
            f"\n    likely cause: {_why_not(rates, theta)}")


def _why_not(rates, theta):
    if theta.mean() ** 2 > (theta**2).mean() / 4:
        return (f"the mean of θ is still {theta.mean():.2g}: the rates are "
                "too small, or have fallen before the way was done")
    if rates[-100:].mean() >= 0.9 * rates[:100].mean():
        return "the last rates are as large as the first: a floor stays"
    return "what is left is noise; the rates must fall faster, or sooner"
