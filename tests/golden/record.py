"""Record the paths of PyTorch, Keras and Optax in float64.

    python -m pip install torch "keras>=3" jax optax
    python tests/golden/record.py

writes, next to this script, pytorch.npz, keras.npz and optax.npz (every
option that a user meets) and translations.npz (pairs of settings, one the
translation of the other), and code/descent/recorded/paths.npz (a selection, which
the book prints).  The format is the one that `descent.recorded.paths.recorded`
reads: a JSON text "meta" with the versions and the cases, and one array a
problem, theta_PROBLEM of shape (cases, times, d).

Float64 throughout.  Keras keeps its rate and its averages in the precision of
`floatx`, hence `set_floatx("float64")`; JAX needs `enable_x64`; PyTorch takes
the precision of the parameters.  A first check below stops the recording if
one of them rounds a rate to float32.
"""

import itertools
import json
import os
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ["JAX_ENABLE_X64"] = "1"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import optax  # noqa: E402
import torch  # noqa: E402

from descent.frameworks import translate  # noqa: E402
from descent.recorded.paths import LOOPS  # noqa: E402

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "code" / "descent" / "recorded" / "paths.npz"
VERSIONS = {"pytorch": version("torch").split("+")[0],
            "keras": f"{version('keras')} ({keras.backend.backend()} "
                     f"{version(keras.backend.backend())})",
            "optax": f"{version('optax')} (jax {version('jax')})"}


# -- problems ----------------------------------------------------------------


def scales(steps=100):
    """Six coordinates: 1e-8, 1e-3, 1 and 1e6 in size, one whose sign flips
    and whose size drops, one that is 0 in most steps (but not at first)."""
    rng = np.random.default_rng(1)
    g = rng.standard_normal((steps, 6))
    g[:, 0] = 1e-8 * (g[:, 0] + 1)
    g[:, 1] = 1e-3 * (g[:, 1] + 0.5)
    g[:, 3] = 1e6 * (g[:, 3] + 1)
    g[:, 4] = np.where(np.arange(steps) < 40, 1, -0.01) * (1 + 0.1 * g[:, 4])
    g[1:, 5] *= rng.uniform(size=steps - 1) < 0.2
    return g


def zeros(steps=60):
    """Three coordinates: 0 for 10 steps, 0 after 30 steps, always 0."""
    g = np.random.default_rng(2).standard_normal((steps, 3)) + 0.5
    g[:10, 0] = g[30:, 1] = g[:, 2] = 0
    return g


STREAMS = {"stream": scales(), "zeros": zeros()}
START = {"quadratic": [6.0, -2.0], "rosenbrock": [-1.2, 1.0]}
STEPS = {"stream": 100, "zeros": 60, "quadratic": 150, "rosenbrock": 80}


def kept(problem):
    """Every step up to 20, then every 10th."""
    return np.array([*range(20), *range(20, STEPS[problem] + 1, 10)])


def gradient(problem, noise=0.0):
    """The gradient as a function of θ and t, with relative noise in θ."""
    if problem in STREAMS:
        return lambda theta, t: STREAMS[problem][t - 1]
    rng = np.random.default_rng(0)
    return lambda theta, t: LOOPS[problem](
        theta * (1 + noise * rng.standard_normal(2)))


def start(problem, settings):
    """Streams start at 0, where θ has no rounding of its own; where weights
    decay they start at different distances from 0."""
    if problem in START:
        return np.array(START[problem])
    decays = settings.get("weight_decay") or settings.get(
        "add_decayed_weights") or settings["optimizer"] in ("AdamW", "adamw")
    d = STREAMS[problem].shape[1]
    return np.linspace(-1, 2, d) if decays else np.zeros(d)


# -- the frameworks ----------------------------------------------------------


def pytorch(settings, theta0, grad, steps):
    settings = dict(settings)
    make = getattr(torch.optim, settings.pop("optimizer"))
    theta = torch.tensor(theta0, dtype=torch.float64, requires_grad=True)
    optimizer = make([theta], **settings)
    path = [theta0]
    for t in range(1, steps + 1):
        theta.grad = torch.tensor(grad(path[-1], t), dtype=torch.float64)
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def keras_(settings, theta0, grad, steps):
    settings = dict(settings)
    make = getattr(keras.optimizers, settings.pop("optimizer"))
    theta = keras.Variable(theta0, dtype="float64")
    optimizer = make(**settings)
    path = [theta0]
    for t in range(1, steps + 1):
        g = keras.ops.convert_to_tensor(grad(path[-1], t), dtype="float64")
        optimizer.apply([g], [theta])
        path.append(keras.ops.convert_to_numpy(theta.value).copy())
    return np.array(path)


def optax_(settings, theta0, grad, steps):
    settings = dict(settings)
    name = settings.pop("optimizer")
    decay = settings.pop("add_decayed_weights", None)
    optimizer = getattr(optax, name)(**settings)
    if decay is not None:
        optimizer = optax.chain(optax.add_decayed_weights(decay), optimizer)
    theta = jnp.array(theta0)
    state = optimizer.init(theta)
    update = jax.jit(optimizer.update)
    path = [theta0]
    for t in range(1, steps + 1):
        step, state = update(jnp.array(grad(path[-1], t)), state, theta)
        theta = optax.apply_updates(theta, step)
        path.append(np.array(theta))
    return np.array(path)


RUN = {"pytorch": pytorch, "keras": keras_, "optax": optax_}


def record(framework, settings, problem, noise=0.0):
    return RUN[framework](settings, start(problem, settings),
                          gradient(problem, noise), STEPS[problem])


def amplification(framework, settings, problem, path):
    """How much a loop enlarges small changes of θ in its gradients.

    A normalised step near a minimum, or across a steep valley, can enlarge
    the last digit 1e10 times; such a path compares nothing.
    """
    if problem in STREAMS:
        return 1.0
    other = record(framework, settings, problem, noise=1e-9)
    return (np.abs(other - path).max(axis=0) / np.ptp(path, axis=0)
            ).max() / 1e-9


def check_precision():
    """0.1 is not a float32: one SGD step shows which number was used."""
    for framework, settings in {
            "pytorch": {"optimizer": "SGD", "lr": 0.1},
            "keras": {"optimizer": "SGD", "learning_rate": 0.1},
            "optax": {"optimizer": "sgd", "learning_rate": 0.1}}.items():
        path = record(framework, settings, "zeros")
        assert path.dtype == np.float64, framework
        assert path[1, 1] == -0.1 * STREAMS["zeros"][0, 1], framework


# -- cases -------------------------------------------------------------------


def grid(optimizer, *options):
    """Settings for every combination of the options (lists of dicts)."""
    for parts in itertools.product(*options):
        settings = {"optimizer": optimizer}
        for part in parts:
            settings |= part
        yield settings


BETAS = [(0.9, 0.999), (0.9, 0.95), (0.0, 0.99), (0.5, 0.5), (0.95, 0.9)]
MU = [0.0, 0.9]
DECAY = [0.0, 0.1]


def each(key, values):
    return [{key: value} for value in values]


def cases_pytorch():
    lr = [{"lr": 5e-4}]
    yield from grid("SGD", lr, each("weight_decay", DECAY), [
        {}, {"momentum": 0.9}, {"momentum": 0.5},
        {"momentum": 0.9, "nesterov": True}])
    yield from grid("Adagrad", [{"lr": 0.1}], each("weight_decay", DECAY), [
        {}, {"eps": 1e-3}, {"initial_accumulator_value": 0.1}, {"eps": 0.0}])
    lr = [{"lr": 0.002}]
    yield from grid("RMSprop", lr, each("centered", [False, True]),
                    each("momentum", MU), each("weight_decay", DECAY),
                    [{}, {"alpha": 0.9, "eps": 1e-3}])
    yield from grid("RMSprop", lr, [{"alpha": 0.9, "eps": 0.0},
                                    {"alpha": 0.5}, {"alpha": 0.999}])
    lr = [{"lr": 0.02}]
    for name in ("Adam", "AdamW"):
        yield from grid(name, lr, each("amsgrad", [False, True]),
                        each("weight_decay", DECAY), each("eps", [1e-8, 1e-3]))
        yield from grid(name, lr, each("betas", BETAS[1:]))
        yield from grid(name, lr, each("amsgrad", [False, True]),
                        [{"eps": 0.0}])


def cases_keras():
    lr = [{"learning_rate": 5e-4}]
    yield from grid("SGD", lr, [{}, {"weight_decay": 0.1}], [
        {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
    yield from grid("Adagrad", [{"learning_rate": 0.1}], [
        {}, {"weight_decay": 0.1}], [
        {}, {"epsilon": 1e-3}, {"initial_accumulator_value": 0.0}])
    lr = [{"learning_rate": 0.002}]
    yield from grid("RMSprop", lr, each("centered", [False, True]),
                    each("momentum", MU), [{}, {"weight_decay": 0.1}],
                    [{}, {"rho": 0.99, "epsilon": 1e-3}])
    yield from grid("RMSprop", lr, [{"epsilon": 0.0}, {"rho": 0.5},
                                    {"rho": 0.999}])
    lr = [{"learning_rate": 0.02}]
    yield from grid("Adam", lr, each("amsgrad", [False, True]),
                    [{}, {"weight_decay": 0.1}],
                    each("epsilon", [1e-7, 1e-3]))
    betas = [{"beta_1": b1, "beta_2": b2} for b1, b2 in BETAS[1:]]
    yield from grid("Adam", lr, [*betas, {"epsilon": 0.0},
                                 {"epsilon": 0.0, "amsgrad": True}])
    yield from grid("AdamW", lr, each("amsgrad", [False, True]),
                    each("epsilon", [1e-7, 1e-3]))
    yield from grid("AdamW", lr, [*betas, {"weight_decay": 0.1}])


def cases_optax():
    lr = [{"learning_rate": 5e-4}]
    l2 = [{}, {"add_decayed_weights": 0.1}]
    yield from grid("sgd", lr, l2, [
        {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}])
    yield from grid("adagrad", [{"learning_rate": 0.1}], l2, [
        {}, {"eps": 1e-3}, {"initial_accumulator_value": 0.0}])
    lr = [{"learning_rate": 0.002}]
    yield from grid("rmsprop", lr, each("eps_in_sqrt", [True, False]),
                    each("centered", [False, True]), [
        {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.5, "nesterov": True},
        {"initial_scale": 1.0}, {"initial_scale": 1.0, "momentum": 0.5},
        {"decay": 0.99, "eps": 1e-3}])
    # centered and corrected together is left out: v̂_1 − m̂_1² is exactly 0,
    # and its rounding, NaN where negative, decides the first step
    yield from grid("rmsprop", lr, each("eps_in_sqrt", [True, False]),
                    [{"bias_correction": True}])
    yield from grid("rmsprop", lr, l2[1:], [{}, {"momentum": 0.9}])
    yield from grid("rmsprop", lr, [
        {"bias_correction": True, "momentum": 0.9}, {"eps": 0.0},
        {"initial_scale": 1.0, "eps": 1e-10}, {"decay": 0.5}])
    lr = [{"learning_rate": 0.02}]
    betas = [{"b1": b1, "b2": b2} for b1, b2 in BETAS[1:]]
    yield from grid("adam", lr, l2, [
        {}, {"eps": 1e-3}, {"eps": 0.0, "eps_root": 1e-8},
        {"eps": 0.0, "eps_root": 1e-3}])
    yield from grid("adam", lr, [*betas, {"eps": 0.0},
                                 {"b1": 0.0, "nesterov": True}])
    yield from grid("adamw", lr, [{}])
    yield from grid("adamw", lr, [{"weight_decay": 0.1}], [
        {}, {"eps": 1e-3}, {"eps": 0.0, "eps_root": 1e-3}])
    yield from grid("adamw", lr, betas)
    yield from grid("amsgrad", lr, [
        {}, {"eps": 1e-3}, {"eps": 0.0, "eps_root": 1e-3}, {"eps": 0.0},
        {"bias_correction_nu": False},
        {"bias_correction_mu": False, "bias_correction_nu": False}, *betas])
    yield from grid("amsgrad", lr, l2[1:])


CASES = {"pytorch": cases_pytorch, "keras": cases_keras, "optax": cases_optax}

SELECTION = {  # what the book shows: one of each kind
    "pytorch": [
        {"optimizer": "SGD", "lr": 5e-4, "momentum": 0.9, "nesterov": True},
        {"optimizer": "Adagrad", "lr": 0.1},
        {"optimizer": "RMSprop", "lr": 0.002},
        {"optimizer": "RMSprop", "lr": 0.002, "centered": True,
         "momentum": 0.9},
        {"optimizer": "Adam", "lr": 0.02},
        {"optimizer": "Adam", "lr": 0.02, "weight_decay": 0.1},
        {"optimizer": "AdamW", "lr": 0.02, "weight_decay": 0.1},
        {"optimizer": "Adam", "lr": 0.02, "amsgrad": True}],
    "keras": [
        {"optimizer": "SGD", "learning_rate": 5e-4, "momentum": 0.9},
        {"optimizer": "Adagrad", "learning_rate": 0.1},
        {"optimizer": "RMSprop", "learning_rate": 0.002},
        {"optimizer": "RMSprop", "learning_rate": 0.002, "momentum": 0.9},
        {"optimizer": "Adam", "learning_rate": 0.02},
        {"optimizer": "AdamW", "learning_rate": 0.02, "weight_decay": 0.1},
        {"optimizer": "Adam", "learning_rate": 0.02, "amsgrad": True}],
    "optax": [
        {"optimizer": "adagrad", "learning_rate": 0.1},
        {"optimizer": "rmsprop", "learning_rate": 0.002},
        {"optimizer": "rmsprop", "learning_rate": 0.002, "eps_in_sqrt": False,
         "momentum": 0.9, "nesterov": True},
        {"optimizer": "rmsprop", "learning_rate": 0.002, "initial_scale": 1.0},
        {"optimizer": "rmsprop", "learning_rate": 0.002,
         "bias_correction": True},
        {"optimizer": "adam", "learning_rate": 0.02},
        {"optimizer": "adamw", "learning_rate": 0.02, "weight_decay": 0.1},
        {"optimizer": "amsgrad", "learning_rate": 0.02}],
}

SOURCES = {  # translated to both other frameworks
    "pytorch": [
        {"optimizer": "SGD", "lr": 0.01},
        {"optimizer": "SGD", "lr": 0.01, "weight_decay": 0.1},
        {"optimizer": "SGD", "lr": 0.01, "momentum": 0.9,
         "weight_decay": 0.1},
        {"optimizer": "SGD", "lr": 0.01, "momentum": 0.9, "nesterov": True},
        {"optimizer": "SGD", "lr": 0.01, "momentum": 0.9, "dampening": 0.5},
        {"optimizer": "SGD", "lr": 0.01, "dampening": 0.5},
        {"optimizer": "Adagrad", "lr": 0.1},
        {"optimizer": "Adagrad", "lr": 0.1, "eps": 0.0},
        {"optimizer": "Adagrad", "lr": 0.1, "eps": 0.0, "lr_decay": 0.1},
        {"optimizer": "RMSprop"},
        {"optimizer": "RMSprop", "eps": 0.0},
        {"optimizer": "RMSprop", "eps": 0.0, "momentum": 0.9},
        {"optimizer": "RMSprop", "eps": 0.0, "weight_decay": 0.1},
        {"optimizer": "RMSprop", "eps": 0.0, "centered": True},
        {"optimizer": "Adam"},
        {"optimizer": "Adam", "eps": 0.0},
        {"optimizer": "Adam", "betas": (0.0, 0.9)},
        {"optimizer": "Adam", "betas": (0.9, 0.0)},
        {"optimizer": "Adam", "eps": 0.0, "weight_decay": 0.1},
        {"optimizer": "Adam", "eps": 0.0, "amsgrad": True},
        {"optimizer": "AdamW", "eps": 0.0},
        {"optimizer": "AdamW"},
        {"optimizer": "AdamW", "eps": 0.0, "amsgrad": True}],
    "keras": [
        {"optimizer": "SGD", "weight_decay": 0.1},
        {"optimizer": "SGD", "momentum": 0.9, "nesterov": True},
        {"optimizer": "SGD", "momentum": 0.9, "weight_decay": 0.1},
        {"optimizer": "SGD", "nesterov": True},
        {"optimizer": "Adagrad"},
        {"optimizer": "Adagrad", "epsilon": 0.0},
        {"optimizer": "RMSprop"},
        {"optimizer": "RMSprop", "epsilon": 0.0},
        {"optimizer": "RMSprop", "momentum": 0.9},
        {"optimizer": "RMSprop", "epsilon": 0.0, "momentum": 0.9},
        {"optimizer": "RMSprop", "epsilon": 0.0, "weight_decay": 0.1},
        {"optimizer": "RMSprop", "centered": True},
        {"optimizer": "Adam"},
        {"optimizer": "Adam", "epsilon": 0.0},
        {"optimizer": "Adam", "epsilon": 0.0, "weight_decay": 0.1},
        {"optimizer": "Adam", "beta_2": 0.0},
        {"optimizer": "Adam", "epsilon": 0.0, "amsgrad": True},
        {"optimizer": "Adam", "epsilon": 0.0, "clipnorm": 1.0},
        {"optimizer": "Adam", "epsilon": 0.0, "use_ema": True},
        {"optimizer": "AdamW"},
        {"optimizer": "AdamW", "epsilon": 0.0}],
    "optax": [
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True},
        {"optimizer": "sgd", "nesterov": True},
        {"optimizer": "adagrad"},
        {"optimizer": "adagrad", "eps": 0.0},
        {"optimizer": "rmsprop"},
        {"optimizer": "rmsprop", "eps_in_sqrt": False},
        {"optimizer": "rmsprop", "eps": 0.0},
        {"optimizer": "rmsprop", "eps": 0.0, "initial_scale": 1.0},
        {"optimizer": "rmsprop", "eps_in_sqrt": False, "momentum": 0.9},
        {"optimizer": "rmsprop", "momentum": 0.9, "nesterov": True},
        {"optimizer": "rmsprop", "nesterov": True},
        {"optimizer": "rmsprop", "eps_in_sqrt": False, "centered": True},
        {"optimizer": "rmsprop", "bias_correction": True},
        {"optimizer": "rmsprop", "bias_correction": True,
         "eps_in_sqrt": False},
        {"optimizer": "rmsprop", "bias_correction": True, "eps": 0.0},
        {"optimizer": "rmsprop", "bias_correction": True, "eps": 0.0,
         "momentum": 0.9},
        {"optimizer": "adam"},
        {"optimizer": "adam", "eps": 0.0},
        {"optimizer": "adam", "eps": 0.0, "eps_root": 1e-8},
        {"optimizer": "adam", "nesterov": True},
        {"optimizer": "adam", "b1": 0.0, "nesterov": True},
        {"optimizer": "adamw"},
        {"optimizer": "adamw", "eps": 0.0},
        {"optimizer": "amsgrad"},
        {"optimizer": "amsgrad", "b2": 0.0},
        {"optimizer": "amsgrad", "eps": 0.0, "bias_correction_nu": False}],
}


# -- writing -----------------------------------------------------------------


def problems(settings):
    """With ε = 0 leading zeros are 0/0: no framework has a path there."""
    eps = {settings.get(key, "default")
           for key in ("eps", "epsilon", "eps_root")} - {"default"}
    if 0.0 in eps and len(eps) == 1 or settings.get(
            "initial_accumulator_value") == 0.0:
        return ["stream", "quadratic", "rosenbrock"]
    return ["stream", "zeros", "quadratic", "rosenbrock"]


def write(file, runs, times=kept):
    """runs: a list of (framework, settings, problem)."""
    cases, arrays, rows = [], {}, {}
    for framework, settings, problem in runs:
        path = record(framework, settings, problem)
        if amplification(framework, settings, problem, path) > 1000:
            print("unstable, left out:", framework, settings, problem)
            continue
        theta = path[times(problem)]
        assert np.isfinite(theta).all(), (framework, settings, problem)
        rows.setdefault(problem, []).append(theta)
        cases.append({"framework": framework, "settings": settings,
                      "problem": problem, "row": len(rows[problem]) - 1})
    for problem, thetas in rows.items():
        arrays[f"theta_{problem}"] = np.array(thetas)
        arrays[f"times_{problem}"] = times(problem)
        if problem in STREAMS:
            arrays[f"gradients_{problem}"] = STREAMS[problem]
    used = {case["framework"] for case in cases}
    meta = {"versions": {name: VERSIONS[name] for name in sorted(used)},
            "dtype": "float64", "cases": cases}
    np.savez_compressed(file, meta=np.array(json.dumps(meta)), **arrays)
    print(f"{file.name}: {len(cases)} paths, {file.stat().st_size / 1e3:.0f} "
          "kB")


def main():
    check_precision()
    for framework, cases in CASES.items():
        write(HERE / f"{framework}.npz",
              [(framework, settings, problem) for settings in cases()
               for problem in problems(settings)])
    write(SHIPPED, [(framework, settings, problem)
                    for framework, group in SELECTION.items()
                    for settings in group
                    for problem in ("stream", "rosenbrock")])
    pairs = []
    for source, group in SOURCES.items():
        for settings in group:
            rate = {} if source == "pytorch" else {"learning_rate": 0.01}
            settings = {**settings, **rate}
            for target in RUN:
                if target != source:
                    there = translate(settings, source, target).settings
                    pairs += [(source, settings, "stream"),
                              (target, there, "stream")]
    write(HERE / "translations.npz", pairs,
          times=lambda problem: np.arange(0, STEPS[problem] + 1, 10))


if __name__ == "__main__":
    main()
