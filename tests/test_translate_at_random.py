"""translate against loops written by hand, one per framework, for random settings.

The loops follow the frameworks' documented formulas and share no line with the
package; those of Keras and Optax were compared with Keras 3.15 and Optax 0.2.8.
Where translate says exact the two loops agree to 1e-11 of the travel, elsewhere
they differ.
"""

from itertools import permutations

import numpy as np
import pytest

from descent import translate
from descent.frameworks import DEFAULTS, REQUIRED, _complete
from descent.recorded.paths import distance

DRAWS = np.random.default_rng(5).standard_normal((60, 4))
G = DRAWS * [1e-3, 1, 30, 0.1] + [1e-3, 0, 10, 0]
G[:, 3] += np.where(np.arange(60) < 30, 1, -0.01)
START = np.array([-1.0, 0.3, 2.0, 1.0])


def pytorch(name, s):
    theta, b, mean, v_max = START, None, 0.0, 0.0
    m, v = 0.0, s.get("initial_accumulator_value", 0.0)
    beside = name == "AdamW" or s.get("decoupled_weight_decay", False)
    for t, g in enumerate(G, 1):
        g = -g if s["maximize"] else g
        if beside:
            theta = theta * (1 - s["lr"] * s["weight_decay"])
        else:
            g = g + s["weight_decay"] * theta
        if name == "SGD":
            u = g
            if s["momentum"]:
                b = g if b is None else s["momentum"] * b + (1 - s["dampening"]) * g
                u = g + s["momentum"] * b if s["nesterov"] else b
        elif name == "Adagrad":
            v = v + g * g
            u = g / (1 + (t - 1) * s["lr_decay"]) / (np.sqrt(v) + s["eps"])
        elif name == "RMSprop":
            v = s["alpha"] * v + (1 - s["alpha"]) * g * g
            mean = mean + (1 - s["alpha"]) * (g - mean)
            u = g / (np.sqrt(v - mean**2 if s["centered"] else v) + s["eps"])
            if s["momentum"]:
                u = b = s["momentum"] * (0 if b is None else b) + u
        else:
            beta1, beta2 = s["betas"]
            m, v = m + (1 - beta1) * (g - m), beta2 * v + (1 - beta2) * g * g
            v_max = np.maximum(v_max, v)
            root = np.sqrt(v_max if s["amsgrad"] else v) / np.sqrt(1 - beta2**t)
            u = m / (1 - beta1**t) / (root + s["eps"])
        theta = theta - s["lr"] * u
        yield theta


def keras(name, s):
    theta, b, mean, v_max = START, 0.0, 0.0, 0.0
    m, v, lr = 0.0, s.get("initial_accumulator_value", 0.0), s["learning_rate"]
    for t, g in enumerate(G, 1):
        if s["clipvalue"]:
            g = np.clip(g, -s["clipvalue"], s["clipvalue"])
        theta = theta - theta * (s["weight_decay"] or 0) * lr
        if name == "SGD":
            u = b = s["momentum"] * b - lr * g
            if s["nesterov"] and s["momentum"]:
                u = s["momentum"] * b - lr * g
            theta = theta + u
        elif name == "Adagrad":
            v = v + g * g
            theta = theta - lr * g / np.sqrt(v + s["epsilon"])
        elif name == "RMSprop":
            v = s["rho"] * v + (1 - s["rho"]) * g * g
            mean = s["rho"] * mean + (1 - s["rho"]) * g
            below = v - mean**2 if s["centered"] else v
            b = s["momentum"] * b + lr * g / np.sqrt(below + s["epsilon"])
            theta = theta - b
        else:
            beta1, beta2 = s["beta_1"], s["beta_2"]
            m, v = m + (g - m) * (1 - beta1), v + (g * g - v) * (1 - beta2)
            v_max = np.maximum(v_max, v)
            rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
            theta = theta - m * rate / (np.sqrt(v_max if s["amsgrad"] else v) + s["epsilon"])
        yield theta


def optax(name, s):
    theta, b, m, v_max, lr = START, 0.0, 0.0, 0.0, s["learning_rate"]
    v = s.get("initial_accumulator_value", s.get("initial_scale", 0.0))
    for t, g in enumerate(G, 1):
        if name == "sgd":
            u = g
        elif name == "adagrad":
            v = v + g * g
            u = g / np.sqrt(v + s["eps"])
        elif name == "rmsprop":
            d = s["decay"]
            m, v = d * m + (1 - d) * g, d * v + (1 - d) * g * g
            mass = 1 - d**t if s["bias_correction"] else 1
            below = v / mass - (m / mass) ** 2 if s["centered"] else v / mass
            u = lr * (g / np.sqrt(below + s["eps"]) if s["eps_in_sqrt"]
                      else g / (np.sqrt(below) + s["eps"]))
        else:
            beta1, beta2 = s["b1"], s["b2"]
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            m_hat = m / (1 - beta1**t) if s.get("bias_correction_mu", True) else m
            v_hat = v / (1 - beta2**t) if s.get("bias_correction_nu", True) else v
            if s.get("nesterov"):
                m_hat = beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
            if name == "amsgrad":
                v_hat = v_max = np.maximum(v_max, v_hat)
            u = m_hat / (np.sqrt(v_hat + s["eps_root"]) + s["eps"])
            u = u + s.get("weight_decay", 0) * theta
        if s.get("momentum"):
            b = s["momentum"] * b + u
            u = u + s["momentum"] * b if s["nesterov"] else b
        theta = theta - (u if name == "rmsprop" else lr * u)
        yield theta


def tensorflow(name, s):
    theta, b, m, v_max, lr = START, 0.0, 0.0, 0.0, s["learning_rate"]
    v = 1.0 if name == "RMSPropOptimizer" else s.get("initial_accumulator_value", 0.0)
    for t, g in enumerate(G, 1):
        if name == "GradientDescentOptimizer":
            u = lr * g
        elif name == "MomentumOptimizer":
            b = s["momentum"] * b + g
            u = lr * (g + s["momentum"] * b if s["use_nesterov"] else b)
        elif name == "AdagradOptimizer":
            v = v + g * g
            u = lr * g / np.sqrt(v)
        elif name == "RMSPropOptimizer":
            m, v = m + (1 - s["decay"]) * (g - m), v + (1 - s["decay"]) * (g * g - v)
            below = v - m * m if s["centered"] else v
            u = b = s["momentum"] * b + lr * g / np.sqrt(below + s["epsilon"])
        else:
            beta1, beta2 = s["beta1"], s["beta2"]
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            u = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + s["epsilon"])
        theta = theta - u
        yield theta


LOOPS = {"pytorch": pytorch, "keras": keras, "optax": optax, "tensorflow": tensorflow}

NUMBERS = {
    "momentum": [0.0, 0.5, 0.9], "dampening": [0.0, 0.5], "nesterov": [False, True],
    "weight_decay": [0.0, 0.1], "eps": [0.0, 1e-8, 1e-3], "epsilon": [0.0, 1e-7, 1e-3],
    "eps_root": [0.0, 0.0, 1e-3], "alpha": [0.5, 0.9, 0.99], "rho": [0.5, 0.9, 0.99],
    "decay": [0.5, 0.9, 0.99], "centered": [False, False, True],
    "betas": [(0.9, 0.999), (0.0, 0.9), (0.9, 0.0), (0.5, 0.5)],
    **dict.fromkeys(("beta_1", "b1", "beta1"), [0.0, 0.5, 0.9]),
    **dict.fromkeys(("beta_2", "b2", "beta2"), [0.0, 0.5, 0.999]),
    "amsgrad": [False, True], "lr_decay": [0.0, 0.0, 0.1], "maximize": [False] * 9 + [True],
    "initial_accumulator_value": [0.1, 1.0], "initial_scale": [0.0, 0.0, 1.0],
    "eps_in_sqrt": [True, False], "bias_correction": [False, False, True],
    "bias_correction_mu": [True, True, False], "bias_correction_nu": [True, True, False],
    "decoupled_weight_decay": [False, True], "use_nesterov": [False, True],
    "clipvalue": [None] * 7 + [0.5], "use_ema": [False, True],
    **dict.fromkeys(("lr", "learning_rate"), [0.01, 0.02])}


def random_settings(framework, rng):
    """Some arguments drawn, the others left out where there is a default."""
    name = str(rng.choice(list(DEFAULTS[framework])))
    settings = {"optimizer": name}
    for key, default in DEFAULTS[framework][name].items():
        if key in NUMBERS and (default is REQUIRED or rng.uniform() < 0.7):
            choices = NUMBERS[key]
            settings[key] = choices[rng.integers(len(choices))]
    if framework == "pytorch" and settings.get("nesterov"):  # its own conditions
        settings |= {"momentum": 0.9, "dampening": 0.0}
    return settings


def path(framework, settings):
    with np.errstate(all="ignore"):
        return np.array([START, *LOOPS[framework](*_complete(settings, framework))])


@pytest.mark.parametrize("source, target", [*permutations(LOOPS, 2)])
def test_exact_means_that_loops_written_by_hand_agree(source, target):
    rng = np.random.default_rng([*map(ord, source + target)])
    seen = {True: 0, False: 0}
    for _ in range(60):
        settings = random_settings(source, rng)
        there = translate(settings, source, target)
        paths = path(source, settings), path(target, there.settings)
        if np.isfinite(paths).all():  # centered without ε may end in NaN
            agree = distance(paths[1], paths[0]).max() <= 1e-11
            assert agree == there.exact, (settings, there)
            seen[agree] += 1
    assert min(seen.values()) >= 5, seen
