"""Checks of the exercises of chapter 10."""

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
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
    check_value("mean step and steps", answer, np.array([step, 100]),
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


def check_rate_for_floor(answer):
    """The rate for a floor of 0.001 at λ = 10, σ = 2, and its time.

    >>> check_rate_for_floor((0.002, 100))
    rate and steps: not right: [0.002, 100]
        likely cause: this is the time of θ; that of its square is half
    """
    check_value("rate and steps", answer, np.array([0.002, 50.0]), wrong={
        "this is the time of θ; that of its square is half": [0.002, 100],
        "this is the floor of E[θ²]; the loss is ½λ times that": [0.01, 10],
        "the order is rate, steps": [50, 0.002],
        "the curvature cancels in the loss": [0.0002, 500],
        "these are steps to a half, not to 1/e": [0.002, 50 * np.log(2)],
        "σ is missing in the time": [0.002, 25.0],
        "the noise is σ, not σ²": [0.001, 100.0]})


def check_share_on_noise(answer):
    """What m²/v tends to on pure noise, for β = 0.9.

    >>> check_share_on_noise(0.0)
    share on pure noise: not right: 0
        likely cause: an average keeps some of the noise, and its square counts
    """
    check_value("share on pure noise", answer, 0.1 / 1.9, wrong={
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
    check_function(
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
