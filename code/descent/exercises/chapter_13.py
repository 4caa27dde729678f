"""Checks of the exercises of chapter 13."""

from functools import partial

import numpy as np

from descent.exercises.engine import (Complaint, _array, _call, _cause,
                                      _undone, check_function, never_raises)
from descent.loop import run
from descent.problems import quadratic
from descent.rules import adam

ANGLES = 25, 45, 70, 160  # of the check of the axes, in degrees


def _steps_turned(angle, start=lambda R: R @ [1.0, 1.0], turn=1.0, late=0):
    problem = quadratic([1.0, 1000.0], angle)
    f = quadratic([1.0, 1000.0], turn * angle)
    path = run(adam, f.grad, start(problem.rotation), 7000, alpha=0.015)
    return int((f(path.theta) < 1e-8).argmax()) + late


def check_steps_turned(function):
    """Check ``steps_turned(angle)``: Adam's steps when all is turned.

    >>> check_steps_turned(lambda angle: None)
    <lambda>: not done yet
    """
    return check_function(
        function, _steps_turned, inputs=[(np.pi / 4,), (np.pi / 9,)],
        quantities=("the number of steps",), wrong={
            "H is turned, the start is not: turn both":
                partial(_steps_turned, start=lambda R: [1.0, 1.0]),
            "the start is turned, H is not: turn both":
                partial(_steps_turned, turn=0.0),
            "the start is turned the other way: R, not its transpose":
                partial(_steps_turned, start=lambda R: R.T @ [1.0, 1.0]),
            "nothing is turned":
                partial(_steps_turned, start=lambda R: [1.0, 1.0], turn=0.0),
            "the start counts as t = 0": partial(_steps_turned, late=1)})


def steps_in_axes(A, angle):
    """Steps of Adam at α = 0.01 that works in the columns of A; 401: never.

    >>> steps_in_axes(np.eye(2), 0.0)
    344
    """
    f = quadratic([1.0, 1000.0], angle)
    start = f.rotation @ [1.0, 1.0]
    z = run(adam, lambda z: f.grad(z @ A.T) @ A, start @ A, 400,
            alpha=0.01).theta
    below = f(z @ A.T) < 1e-8
    return int(below.argmax()) if below.any() else 401


def check_axes(function):
    """Check ``axes(gradients)``: Adam in these axes needs ≤ 400 steps.

    >>> check_axes(lambda gradients: None)
    axes: not done yet
    >>> check_axes(lambda gradients: np.eye(2))
    axes: at 25° Adam does not arrive within 400 steps
        likely cause: these are the old axes, at every angle
    """
    return _check_axes(function)


@never_raises
def _check_axes(function):
    try:
        return "axes", _judge_axes(function)
    except Complaint as complaint:
        return "axes", str(complaint)


def _judge_axes(function):
    if _undone(function):
        return "not done yet"
    if not callable(function):
        return "it must be a function of the gradients"
    found = []
    for angle in np.radians(ANGLES):
        f = quadratic([1.0, 1000.0], angle)
        places = np.random.default_rng(len(found)).standard_normal((20, 2))
        A = _call(function, (f.grad(places),))
        if _undone(A):
            return "not done yet"
        A = _array(A)
        if A.shape != (2, 2):
            return f"it has shape {A.shape}, but (2, 2) is needed"
        if not np.allclose(A.T @ A, np.eye(2), atol=1e-6):
            return ("the matrix is not orthogonal: its columns must have "
                    "length 1 and be at right angles")
        found.append(A)
    for angle, A in zip(ANGLES, found):
        if steps_in_axes(A, np.radians(angle)) > 400:
            return (f"at {angle}° Adam does not arrive within 400 steps"
                    + _why_not(found))
    return "correct"


def _why_not(found):
    if all(np.allclose(np.abs(A).max(axis=0), 1) for A in found):
        return _cause("these are the old axes, at every angle")
    if all(steps_in_axes(A.T, angle) <= 400
           for A, angle in zip(found, np.radians(ANGLES))):
        return _cause("the axes are the rows; the columns are asked for")
    return ""
