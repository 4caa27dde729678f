"""Paths that PyTorch, Keras and Optax computed themselves, and how far ours are from them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from descent import rules
from descent.frameworks import translate
from descent.loop import run
from descent.problems import Quadratic, Rosenbrock

FILE = Path(__file__).with_name("paths.npz")


@dataclass(frozen=True)
class Recording:
    """A path that a framework computed, in float64.

    framework, optimizer, settings : what made it; settings as the framework
        takes them, "optimizer" included
    version : of the framework
    problem : "stream", "zeros" (streams of gradients), "quadratic" or
        "rosenbrock" (closed loops)
    gradients : the stream, shape (steps, d), or None
    theta0, steps : start and length
    times : the steps that were kept, shape (n,)
    theta : the path at these steps, shape (n, d)
    """

    framework: str
    optimizer: str
    settings: dict
    version: str
    problem: str
    gradients: np.ndarray
    theta0: np.ndarray
    steps: int
    times: np.ndarray
    theta: np.ndarray

    @property
    def name(self):
        """One line that says which case this is."""
        options = ",".join(f"{key}={value}" for key, value in
                           self.settings.items() if key != "optimizer")
        return f"{self.framework}-{self.optimizer}({options})-{self.problem}"


LOOPS = {"quadratic": Quadratic(np.array([[26, 43], [43, 76]]) / 64).grad,
         "rosenbrock": Rosenbrock().grad}


def recorded(path=None):
    """The recorded paths that come with this package, a list of `Recording`.

    path : another file of the same format

    >>> cases = recorded()
    >>> sorted({case.framework for case in cases})
    ['keras', 'optax', 'pytorch']
    """
    if path is None:
        path = FILE
    with path.open("rb") as file, np.load(file) as data:
        meta = json.loads(str(data["meta"]))
        cases = []
        for case in meta["cases"]:
            problem = case["problem"]
            times = data[f"times_{problem}"]
            theta = data[f"theta_{problem}"][case["row"]]
            settings = {key: tuple(value) if isinstance(value, list) else value
                        for key, value in case["settings"].items()}
            cases.append(Recording(
                framework=case["framework"], settings=settings,
                optimizer=settings["optimizer"],
                version=meta["versions"][case["framework"]], problem=problem,
                gradients=(data[f"gradients_{problem}"]
                           if f"gradients_{problem}" in data else None),
                theta0=theta[0], steps=int(times[-1]), times=times,
                theta=theta))
    return cases


def travel(theta):
    """How far each coordinate goes: the width of its path, shape (d,)."""
    return np.ptp(theta, axis=0)


def parity_errors(case, settings=None):
    """The largest distance of our path from the recorded one, per coordinate.

    case : a `Recording`
    settings : descent's settings; else those that `translate` gives

    In units of the coordinate's `travel`, shape (d,); 0 for a coordinate that
    stays where it is in both.
    """
    if settings is None:
        settings = translate(case.settings, case.framework, "descent").settings
    hyper = dict(settings)
    rule = getattr(rules, hyper.pop("optimizer"))
    if case.gradients is None:
        path = run(rule, LOOPS[case.problem], case.theta0, case.steps, **hyper)
    else:
        path = run(rule, theta0=case.theta0, gradients=case.gradients, **hyper)
    return distance(path.theta[case.times], case.theta)


def distance(theta, reference):
    """Largest |θ − reference| per coordinate, in units of its travel."""
    error = np.abs(theta - reference).max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, error / travel(reference))
