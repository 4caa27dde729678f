"""The rules agree with PyTorch, Keras and Optax on paths that these computed.

A distance is measured in units of the coordinate's travel, the width of its
path in the reference.  The bar is 1e-12 of it: a path of 100 steps collects
about 1e-15 of rounding, closed loops up to 1000 times that (the recording
script leaves out loops that amplify more).  θ itself is rounded to 1e-16 of
its size, so streams start at 0, or far from it only where weights decay.

tests/golden/record.py made the recordings; no framework is needed here.
"""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from descent import rules, run
from descent.frameworks import DEFAULTS, translate
from descent.recorded.paths import FILE, LOOPS, distance, parity_errors, recorded, travel

GOLDEN = Path(__file__).parent / "golden"
FRAMEWORKS = ("pytorch", "keras", "optax")
CASES = [case for name in FRAMEWORKS for case in recorded(
    GOLDEN / f"{name}.npz")]
BAR = 1e-12


def ours(case):
    """Our settings for a case; Optax's L2 is a chain, not an argument."""
    settings = dict(case.settings)
    l2 = settings.pop("add_decayed_weights", 0.0)
    there = translate(settings, case.framework, "descent")
    assert there.exact, there.notes
    if not l2:
        return there.settings
    name = there.settings["optimizer"]
    return {**there.settings, "weight_decay": l2,
            "optimizer": "adam_l2" if name == "adam" else name}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_rule_follows_the_recorded_path(case):
    assert parity_errors(case, ours(case)).max() <= BAR


@pytest.mark.parametrize("case", recorded(), ids=lambda case: case.name)
def test_rule_follows_the_path_that_comes_with_the_package(case):
    assert parity_errors(case).max() <= BAR


def test_recordings_cover_every_rule_and_option():
    seen = {}
    for case in CASES:
        settings = ours(case)
        for key, value in settings.items():
            if key not in ("optimizer", "alpha"):
                seen.setdefault(settings["optimizer"], set()).add(
                    (key, value if isinstance(value, (bool, str)) else "used"))
    for rule in ("rmsprop", "rmsprop_momentum", "rmsprop_centered"):
        assert {("eps_inside", True), ("eps_inside", False), ("v0", "used"),
                ("weight_decay", "used"), ("decoupled", True)} <= seen[rule]
    for rule in ("rmsprop_momentum", "rmsprop_centered"):
        assert {("nesterov", True), ("mu", "used")} <= seen[rule]
    for rule in ("adam", "adam_l2", "adamw", "amsgrad"):
        assert {("eps_inside", True), ("eps_inside", False)} <= seen[rule]
    assert {("maximum", "raw"), ("maximum", "corrected"),
            ("decoupled", True)} <= seen["amsgrad"]
    for rule in ("momentum", "nesterov", "adagrad"):
        assert {("weight_decay", "used"), ("decoupled", True)} <= seen[rule]
    assert {ours(case)["optimizer"] for case in CASES} == set(
        DEFAULTS["descent"])


def test_streams_have_different_scales_exact_zeros_and_a_sign_flip():
    streams = {case.problem: case.gradients for case in CASES
               if case.gradients is not None}
    size = np.abs(streams["stream"]).max(axis=0)
    assert size.max() / size.min() > 1e12
    assert (streams["stream"][:, 5] == 0).mean() > 0.5
    assert streams["stream"][39, 4] > 0 > streams["stream"][40, 4]
    assert (streams["zeros"][:10, 0] == 0).all()
    assert (streams["zeros"][:, 2] == 0).all()


@pytest.mark.parametrize("path", [*(GOLDEN / f"{name}.npz" for name in
                                    (*FRAMEWORKS, "translations")), None],
                         ids=lambda path: path.stem if path else "shipped")
def test_recordings_are_float64_and_say_who_made_them(path):
    for case in recorded(path):
        assert case.theta.dtype == np.float64
        assert case.theta.shape == (len(case.times), len(case.theta0))
        assert case.version[0].isdigit()
        # a float32 path would survive the conversion
        moved = case.theta[1:][:, travel(case.theta) > 0]
        assert (moved != moved.astype(np.float32)).any()


def test_recordings_stay_small():
    size = sum(path.stat().st_size for path in GOLDEN.glob("*.npz"))
    assert size < 800e3
    shipped = FILE
    assert shipped.stat().st_size <= 60e3


PERTURBED = {
    "alpha": 1 + 1e-10, "beta1": 1 - 1e-10, "beta2": 1 - 1e-10, "mu": 1 - 1e-9,
    "weight_decay": 1 + 1e-6, "eps": 2.0}


@pytest.mark.parametrize("name", PERTURBED)
def test_a_slightly_wrong_hyperparameter_is_noticed(name):
    """The bar is sharp: a small change breaks the agreement.

    ε is doubled, since beside AdaGrad's v₀ = 0.1 it hardly counts.
    """
    caught = 0
    for case in CASES:
        settings = ours(case)
        value = settings.get(name)
        if case.problem == "stream" and isinstance(value, float) and value:
            settings[name] = value * PERTURBED[name]
            errors = parity_errors(case, settings)
            assert errors.max() > BAR, case.name
            caught += 1
    assert caught > 10


@pytest.mark.parametrize("wrong", [
    lambda settings: {"eps_inside": not settings["eps_inside"]},
    lambda settings: {"correct": "first"},
    lambda settings: {"correct": "none"},
], ids=["eps on the other side", "first moment alone", "no correction"])
def test_a_wrong_adam_is_noticed(wrong):
    cases = [case for case in CASES if case.problem == "stream"
             and ours(case)["optimizer"] == "adam" and ours(case)["eps"] != 0]
    assert cases
    for case in cases:
        settings = ours(case)
        errors = parity_errors(case, settings | wrong(settings))
        assert errors.max() > BAR, case.name


def test_the_wrong_maximum_is_noticed():
    for case in CASES:
        settings = ours(case)
        if settings["optimizer"] == "amsgrad" and case.problem == "stream":
            other = {"raw": "corrected", "corrected": "raw"}
            settings["maximum"] = other[settings["maximum"]]
            assert parity_errors(case, settings).max() > BAR, case.name


def test_batch_of_recorded_settings_equals_the_single_runs():
    """PyTorch's default Adam, alone and inside a grid over the rate."""
    case = next(case for case in recorded() if case.framework == "pytorch"
                and case.optimizer == "Adam" and case.problem == "rosenbrock")
    rates = np.array([0.001, case.settings["lr"], 0.05])[:, None]
    grid = run(rules.adam, LOOPS["rosenbrock"], case.theta0, case.steps,
               alpha=rates)
    assert distance(grid.theta[case.times, 1], case.theta).max() <= BAR


# -- live, where a framework is installed ------------------------------------

MODULES = {"pytorch": "torch", "keras": "keras", "optax": "optax"}


@pytest.fixture(scope="module")
def record():
    """The recording script; it needs all three frameworks."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    for module in (*MODULES.values(), "jax"):
        if os.environ.get("FRAMEWORKS") == "required":  # as in CI
            importlib.import_module(module)
        pytest.importorskip(
            module, reason=f"{module} is not installed: the recorded paths "
            "are compared, the live comparison is skipped")
    spec = importlib.util.spec_from_file_location("record",
                                                  GOLDEN / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.check_precision()
    return module


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_installed_framework_still_takes_the_path(framework, record):
    for case in recorded():
        if case.framework == framework:
            path = record.record(framework, case.settings, case.problem)
            assert distance(path[case.times], case.theta).max() <= BAR
            assert parity_errors(case).max() <= BAR
