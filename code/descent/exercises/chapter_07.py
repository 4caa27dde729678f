"""Checks of the exercises of chapter 7."""

import math

import numpy as np

from descent import theory
from descent.exercises.engine import check_function, check_value
from descent.exercises.mistakes import (START, STREAM, T_FROM_ONE,
                                        _adam_keeping_corrected)
from descent.loop import run
from descent.rules import State, adam


def check_forgetful_start(answer):
    """First step, longest step and its t without correction, β₂ = 0.9999.

    >>> check_forgetful_start((3.162, 6.569, 12))
    the start: not right: [3.162, 6.569, 12]
        likely cause: this is β₂ = 0.999
    """
    def start(beta1, beta2):
        t = np.arange(1, 1001)
        rho = theory.startup_ratio(t, beta1, beta2)
        return np.array([rho[0], rho.max(), t[rho.argmax()]])

    right = start(0.9, 0.9999)
    check_value("the start", answer, right, wrong={
        "t is a whole number; the formula gives its neighbourhood":
            right * [1, 1, 0] + [0, 0, theory.worst_step(0.9)],
        "the first step is not the longest":
            np.array([right[0], right[0], 1]),
        "first and longest are exchanged": right[[1, 0, 2]],
        "v is under a root":
            np.array([right[0] * 100, right[0] * 100, 1]),
        "at the first step m lacks its mass, too": right * [10, 1, 1],
        "this is β₂ = 0.999": start(0.9, 0.999),
        "only v lacks its correction here; m lacks it too":
            start(0.0, 0.9999),
        "these are corrected over uncorrected; the other way round":
            right ** [-1, -1, 1],
        "t is counted from 1": right - [0, 0, 1]})


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

    check_function(
        function, average("m_hat"), inputs=[(STREAM, 0.9), (STREAM, 0.5)],
        quantities=("m_hat",), first_t=1, wrong={
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


def check_tidy_second_step(answer):
    """The second step of the bug hunt on a constant gradient, over α.

    >>> check_tidy_second_step(1)
    the second step: not right: 1
        likely cause: this is the step after the repair
    """
    state, one = State(theta=0.0), np.ones(())
    for _ in range(2):
        before, state = state, _adam_keeping_corrected(
            state, one, alpha=1.0, eps=0.0)
    right = before.theta - state.theta
    check_value("the second step", answer, right, wrong={
        "this is the step after the repair": 1.0,
        "this is uncorrected Adam": theory.startup_ratio(2, 0.9, 0.999),
        "this is m; divide by √v": state.m,
        "m is written back too, and is no longer 1": 1 / np.sqrt(state.v)})


def check_mean_inverse_root(answer):
    """E[1/√v̂_10] for standard normal gradients, β₂ = 0.999, within 0.7 %.

    >>> check_mean_inverse_root(1.0)
    E[1/√v̂] at t = 10: not right: 1
        likely cause: this is 1/√E[v̂]: take the root first, then the mean
    """
    def mean_of(n):
        """√(n/2) Γ((n − 1)/2) / Γ(n/2), the weights being all but equal."""
        return np.sqrt(n / 2) * math.gamma((n - 1) / 2) / math.gamma(n / 2)

    right = mean_of(10)
    check_value("E[1/√v̂] at t = 10", answer, right, rtol=0.007, wrong={
        "this is 1/√E[v̂]: take the root first, then the mean": 1.0,
        "v is not corrected": right / np.sqrt(1 - 0.999**10),
        "this is t = 9": mean_of(9), "this is t = 5": mean_of(5),
        "this is t = 100": mean_of(100)})
