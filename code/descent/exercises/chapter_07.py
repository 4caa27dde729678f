"""Checks of the exercises of chapter 7."""

import math

import numpy as np

from descent import theory
from descent.exercises.engine import (Complaint, check_function, check_value,
                                      never_raises)
from descent.exercises.mistakes import START, STREAM, T_FROM_ONE
from descent.loop import run
from descent.problems import ravine
from descent.rules import State, adam

DIGITS = 1e-5  # six digits of a number are enough


def _numbers(answer, shapes):
    """The parts of a learner's tuple as arrays, called by name."""
    value = answer() if callable(answer) else answer
    names = ", ".join(shapes)
    if value is None or all(part is None for part in value):
        raise Complaint("not done yet")
    if len(value) != len(shapes):
        raise Complaint(f"it must be {names}, but it has {len(value)} parts")
    parts = []
    for (name, ndim), part in zip(shapes.items(), value):
        if part is None:
            raise Complaint(f"{name} is not done yet")
        part = np.asarray(part, float)
        if part.ndim != ndim or not np.isfinite(part).all():
            kind = "a list of numbers" if ndim else "a number"
            raise Complaint(f"{name} must be {kind}")
        parts.append(part)
    return parts


@never_raises
def check_right_first_step(answer):
    """(β₁, β₂, t, ρ): a right first step, and where the ratio is largest.

    Any pair will do with 0 < β₁ < β₂ < 1 and ρ_1 = 1.

    >>> check_right_first_step((0.9, 0.999, 12, 6.57))
    your pair: its first step is 3.16 times as long, not 1
    >>> check_right_first_step((0.5, 0.75, 1, 1.0))
    your pair: ρ is larger elsewhere than at t = 1
    """
    shapes = dict.fromkeys(("β₁", "β₂", "t", "ρ"), 0)
    try:
        beta1, beta2, t, rho = map(float, _numbers(answer, shapes))
        _judge_pair(beta1, beta2, t, rho)
    except Complaint as complaint:
        return "your pair", str(complaint)
    return "your pair", "correct"


def _judge_pair(beta1, beta2, t, rho):
    if not 0 < beta1 < beta2 < 1:
        raise Complaint("0 < β₁ < β₂ < 1 is asked for")
    steps = np.arange(1, 200_001)
    ratios = theory.startup_ratio(steps, beta1, beta2)
    if abs(ratios[0] - 1) > 5e-3:
        raise Complaint(f"its first step is {ratios[0]:.3g} times as long, "
                        "not 1")
    if t not in steps:
        raise Complaint("t is a step: a whole number, from 1")
    if ratios[int(t) - 1] < ratios.max() * (1 - DIGITS):
        raise Complaint(f"ρ is larger elsewhere than at t = {t:g}")
    if abs(rho / ratios.max() - 1) > 5e-3:
        raise Complaint(f"the pair and t are right, but ρ at t = {t:g} is "
                        f"not {rho:g}")


def check_corrected_average(function):
    """Check ``corrected_average(gradients, beta1)``: m̂_1, m̂_2, ...

    >>> check_corrected_average(lambda gradients, beta1: None)
    <lambda>: not done yet
    """
    def average(field):
        return lambda g, beta1: getattr(
            run(adam, theta0=START, gradients=g, beta1=beta1), field)[1:]

    def started_late(g, beta1):
        t = np.arange(1, len(g) + 1)[:, None]
        return average("m")(g, beta1) / (1 - beta1 ** (t + 1))

    def recurrence(change):
        def path(g, beta1):
            m_hat = [0 * g[0]]
            for t, g_t in enumerate(g, 1):
                m_hat.append(change(m_hat[-1], g_t, beta1, 1 - beta1**t))
            return np.array(m_hat[1:])
        return path

    return check_function(
        function, average("m_hat"), inputs=[(STREAM, 0.9), (STREAM, 0.5)],
        quantities=("m_hat",), first_t=1, rtol=DIGITS, wrong={
            "this is m, which is not corrected": average("m"),
            T_FROM_ONE: ZeroDivisionError,
            "t is 2 at the first step": started_late,
            "what comes in is g_t − m̂_{t−1}, not g_t":
                recurrence(lambda m, g, beta1, mass:
                           m + (1 - beta1) / mass * g),
            "the corrected average is put back into the line for m":
                recurrence(lambda m, g, beta1, mass:
                           (beta1 * m + (1 - beta1) * g) / mass),
            "these are the gradients": lambda g, beta1: g,
            "this is the plain mean, the limit for β₁ → 1":
                lambda g, beta1: average("m_hat")(g, 1 - 1e-12)})


def check_resumed_step(answer):
    """The first step after the resumption of the exercise, over α.

    >>> check_resumed_step(1)
    the first step: not right: 1
        likely cause: so long it would be, had t been saved as well
    """
    def step(v, t):
        """Adam's t-th step, where m is 1 and v was v before."""
        state = State(theta=0.0, t=t - 1, m=1.0, v=v)
        return -adam(state, 1.0, alpha=1.0, eps=0.0).theta

    before = 1 - 0.999**1000
    return check_value("the first step", answer, step(before, 1), wrong={
        "so long it would be, had t been saved as well": step(before, 1001),
        "v is 1 − β₂^1001, not 1": step(1.0, 1),
        "this is the second": step(1 - 0.999**1001, 2),
        "v is not corrected here": step(before, 1) * np.sqrt(1000),
        "m is not corrected here": step(before, 1) * 0.1})


def check_resumable(function):
    """Check ``train(gradients, alpha, saved=None)``: two halves make a whole.

    The function returns a tuple that begins with θ and can be given to it as
    `saved`; β₁ = 0.9, β₂ = 0.999, ε = 1e-8.

    >>> check_resumable(lambda gradients, alpha, saved=None: None)
    <lambda>: not done yet
    """
    def halves(gradients, cut):
        saved = function(gradients[:cut], 0.1)
        if saved is None:
            return None
        return function(gradients[cut:], 0.1, saved)[0]

    def whole(gradients, cut, change=lambda state: state):
        path = run(adam, theta0=0.0, gradients=gradients[:cut], alpha=0.1)
        state = change(State(theta=path.theta[-1], t=cut, m=path.m[-1],
                             v=path.v[-1]))
        for g in gradients[cut:]:
            state = adam(state, g, alpha=0.1)
        return state.theta

    def changed(**kept):
        return lambda gradients, cut: whole(
            gradients, cut, lambda state: state._replace(**{
                name: f(getattr(state, name)) for name, f in kept.items()}))

    def nothing(x):
        return 0.0

    return check_function(
        halves if callable(function) else function, whole,
        inputs=[(STREAM[:, 0], 2), (STREAM[:, 2], 4)], quantities=("θ",),
        rtol=DIGITS, name=getattr(function, "__name__", None), wrong={
            "t begins at 1 again": changed(t=lambda t: 0),
            "t is one too small after the resumption":
                changed(t=lambda t: t - 1),
            "t is one too large after the resumption":
                changed(t=lambda t: t + 1),
            "m and v begin at zero again": changed(m=nothing, v=nothing),
            "all but θ begins at zero again":
                changed(m=nothing, v=nothing, t=lambda t: 0),
            "θ begins at zero again": changed(theta=nothing)})


def check_mean_inverse_root(answer):
    """E[1/√v̂_10] for standard normal gradients, β₂ = 0.999, within 0.7 %.

    >>> check_mean_inverse_root(1.0)
    E[1/√v̂] at t = 10: not right: 1
        likely cause: this is 1/√E[v̂]: take the root first, then the mean
    >>> check_mean_inverse_root(1.1)
    E[1/√v̂] at t = 10: not right: 1.1
        likely cause: it is near, but from how many draws? 20,000 streams scatter by 0.2 %
    """
    n = 10  # the weights are all but equal: √(n/2) Γ((n − 1)/2) / Γ(n/2)
    right = np.sqrt(n / 2) * math.gamma((n - 1) / 2) / math.gamma(n / 2)
    return check_value("E[1/√v̂] at t = 10", answer, right, rtol=0.007,
                       sampled="20,000 streams scatter by 0.2 %", wrong={
        "this is 1/√E[v̂]: take the root first, then the mean": 1.0,
        "v is not corrected": right / np.sqrt(1 - 0.999**n)})


def steps_to_the_ring(schedule):
    """Corrected Adam's steps on the ravine until f ≤ 1 for good.

    That is, until step 100, from (−8, 1.5), with the rate `schedule(t)`.
    """
    path = run(adam, ravine.grad, [-8.0, 1.5], 100, alpha=schedule)
    outside = ~(ravine(path.theta) <= 1)
    return len(outside) - int(outside[::-1].argmax())


def check_schedule(schedule):
    """A schedule of rates from 0 to 0.66 that is in the ring in 20 steps.

    >>> check_schedule(lambda t: None)
    your schedule: not done yet
    >>> check_schedule(lambda t: 0.3)
    your schedule: in the ring for good after 29 steps; 20 are asked for
    """
    return _check_schedule(schedule)


@never_raises
def _check_schedule(schedule):
    try:
        rates = [schedule(t) for t in range(1, 101)]
    except Exception as error:
        return "your schedule", (f"it raised {type(error).__name__}: {error}; "
                                 "it must give a rate for t = 1 to 100")
    if rates[0] is None:
        return "your schedule", "not done yet"
    rates = np.array(rates, dtype=float)
    if rates.shape != (100,) or not ((0 <= rates) & (rates <= 0.66)).all():
        return "your schedule", "each rate is a number from 0 to 0.66"
    steps = steps_to_the_ring(lambda t: rates[t - 1])
    if steps > 100:
        return "your schedule", "not in the ring after 100 steps"
    if steps > 20:
        return "your schedule", (f"in the ring for good after {steps} steps; "
                                 "20 are asked for")
    return "your schedule", "correct"
