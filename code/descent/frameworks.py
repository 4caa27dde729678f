"""The optimizers of PyTorch, Keras, Optax and TensorFlow 1.

`translate` carries settings from one to another and says what is lost;
`settings_of` reads them from a line of code, `line_of` writes that line.
`descent.recorded.paths` has paths that the frameworks themselves computed.

Every framework's settings are read into one `Algorithm`, which holds what the
path depends on and nothing else.  A translation is exact where the target's
settings, read back, are the same `Algorithm`.
"""

import ast
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from math import sqrt

import numpy as np

from descent import rules

REQUIRED = "required"  # in place of a default that does not exist

NAMES = {"pytorch": "PyTorch", "keras": "Keras", "optax": "Optax",
         "tensorflow": "TensorFlow 1", "descent": "descent"}

_KERAS = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None,
    "global_clipnorm": None, "use_ema": False, "ema_momentum": 0.99,
    "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}

_KERAS_ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999,
               "epsilon": 1e-7, "amsgrad": False, **_KERAS}

_TORCH_ADAM = {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8,
               "weight_decay": 0.0, "amsgrad": False, "maximize": False}

_OPTAX_ADAM = {"learning_rate": REQUIRED, "b1": 0.9, "b2": 0.999, "eps": 1e-8,
               "eps_root": 0.0, "mu_dtype": None}

_HERE = ("gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop",
         "rmsprop_momentum", "rmsprop_centered", "adam", "adam_l2", "adamw",
         "amsgrad")

DEFAULTS = {  # as documented by PyTorch 2.13, Keras 3.15, Optax 0.2.8, TF 1.15
    "pytorch": {
        "SGD": {"lr": 0.001, "momentum": 0.0, "dampening": 0.0,
                "weight_decay": 0.0, "nesterov": False, "maximize": False},
        "Adagrad": {"lr": 0.01, "lr_decay": 0.0, "weight_decay": 0.0,
                    "initial_accumulator_value": 0.0, "eps": 1e-10,
                    "maximize": False},
        "RMSprop": {"lr": 0.01, "alpha": 0.99, "eps": 1e-8,
                    "weight_decay": 0.0, "momentum": 0.0, "centered": False,
                    "maximize": False},
        "Adam": {**_TORCH_ADAM, "decoupled_weight_decay": False},
        "AdamW": {**_TORCH_ADAM, "weight_decay": 0.01},
    },
    "keras": {
        "SGD": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False,
                **_KERAS},
        "Adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1,
                    "epsilon": 1e-7, **_KERAS},
        "RMSprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0,
                    "epsilon": 1e-7, "centered": False, **_KERAS},
        "Adam": _KERAS_ADAM,
        "AdamW": {**_KERAS_ADAM, "weight_decay": 0.004},
    },
    "optax": {
        "sgd": {"learning_rate": REQUIRED, "momentum": None,
                "nesterov": False, "accumulator_dtype": None},
        "adagrad": {"learning_rate": REQUIRED,
                    "initial_accumulator_value": 0.1, "eps": 1e-7},
        "rmsprop": {"learning_rate": REQUIRED, "decay": 0.9, "eps": 1e-8,
                    "initial_scale": 0.0, "eps_in_sqrt": True,
                    "centered": False, "momentum": None, "nesterov": False,
                    "bias_correction": False},
        "adam": {**_OPTAX_ADAM, "nesterov": False},
        "adamw": {**_OPTAX_ADAM, "weight_decay": 1e-4, "mask": None,
                  "nesterov": False},
        "amsgrad": {**_OPTAX_ADAM, "bias_correction_mu": True,
                    "bias_correction_nu": True},
    },
    "tensorflow": {  # tf.compat.v1.train
        "GradientDescentOptimizer": {"learning_rate": REQUIRED},
        "MomentumOptimizer": {"learning_rate": REQUIRED,
                              "momentum": REQUIRED, "use_nesterov": False},
        "AdagradOptimizer": {"learning_rate": REQUIRED,
                             "initial_accumulator_value": 0.1},
        "RMSPropOptimizer": {"learning_rate": REQUIRED, "decay": 0.9,
                             "momentum": 0.0, "epsilon": 1e-10,
                             "centered": False},
        "AdamOptimizer": {"learning_rate": 0.001, "beta1": 0.9,
                          "beta2": 0.999, "epsilon": 1e-8},
    },
    "descent": {
        name: {p.name: p.default
               for p in signature(getattr(rules, name)).parameters.values()
               if p.kind is Parameter.KEYWORD_ONLY}
        for name in _HERE},
}

INERT = {  # arguments that choose an implementation, not a path
    "pytorch": {"foreach", "fused", "capturable", "differentiable", "params"},
    "keras": {"name"}, "optax": set(), "descent": set(),
    "tensorflow": {"name", "use_locking"},
}

SCHEDULED = {  # what a scheduler of PyTorch writes beside lr
    "initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr",
}

FOREIGN = {  # arguments that change the path in ways that no rule here knows
    "maximize": "climbs instead of descending",
    "clipnorm": "clips each gradient before the rule sees it",
    "clipvalue": "clips each gradient before the rule sees it",
    "global_clipnorm": "clips each gradient before the rule sees it",
    "loss_scale_factor": "divides each gradient before the rule sees it",
    "gradient_accumulation_steps": "makes a step only every so many gradients",
    "ema_overwrite_frequency": "replaces the parameters by their average",
    "mask": "exempts some parameters from the decay",
    "mu_dtype": "keeps the first moment in another precision",
    "accumulator_dtype": "keeps the buffer in another precision",
}


@dataclass(frozen=True)
class Algorithm:
    """What a path depends on, in the book's symbols.

    eps stands outside the root, eps_root inside; eps_hat says that eps is
    Adam's ε̂, added before the correction.  correct_m and correct_v are
    Adam's bias corrections; RMSprop's optional one is correct_v.
    """

    family: str  # "sgd", "adagrad", "rmsprop" or "adam"
    alpha: float
    alpha_decay: float = 0.0
    mu: float = 0.0
    nesterov: bool = False
    dampening: float = 0.0
    beta1: float = 0.0
    beta2: float = 0.0
    centered: bool = False
    v0: float = 0.0
    eps: float = 0.0
    eps_root: float = 0.0
    eps_hat: bool = False
    correct_m: bool = False
    correct_v: bool = False
    maximum: str = ""  # AMSGrad's: "raw" or "corrected"
    decay: float = 0.0
    decoupled: bool = False
    foreign: tuple = ()

    @property
    def floor(self):
        """The denominator where v = 0 (and its correction is over)."""
        return self.eps + sqrt(self.eps_root)

    def normal(self):
        """The same path with everything neutral that has no influence."""
        a = self
        averaged = a.family in ("rmsprop", "adam")
        if a.mu == 0:
            a = replace(a, dampening=0.0)
            if a.family != "adam":
                a = replace(a, nesterov=False)
        if a.family == "adam" and a.beta1 == 0:
            a = replace(a, nesterov=False, correct_m=True)
        if averaged and a.beta2 == 0:  # v_t is g_t²: nothing is remembered
            a = replace(a, eps_hat=False, v0=0.0,
                        correct_v=a.family == "adam")
            a = replace(a, maximum="raw" if a.maximum else "")
        if a.eps == 0:
            a = replace(a, eps_hat=False)
        if a.maximum and not a.correct_v:
            a = replace(a, maximum="raw")
        # without momentum αλθ leaves the parameters by either way
        if a.decay == 0 or a.family == "sgd" and a.mu == 0:
            a = replace(a, decoupled=False)
        # RMSprop with bias correction is Adam with β₁ = 0, and conversely
        plain = not a.centered and a.mu == 0 and a.v0 == 0
        if a.family == "rmsprop" and a.correct_v and plain:
            a = replace(a, family="adam", correct_m=True)
        elif (a.family == "adam" and a.beta1 == 0 and not a.correct_v
              and not a.maximum):
            a = replace(a, family="rmsprop", correct_m=False)
        return a


@dataclass(frozen=True)
class Translation:
    """What `translate` returns.

    settings : the target's own arguments, with the optimizer's name under
        "optimizer"
    exact : True when the paths agree for these settings at a constant rate,
        both starting from empty buffers
    notes : sentences: what differs, where, and what differs only when the
        rate is changed during the run
    """

    settings: dict
    exact: bool
    notes: tuple


def translate(settings, source="keras", target="pytorch"):
    """Say the settings of one framework in the words of another.

    settings : a dict of the source's own arguments, with the optimizer's
        name under "optimizer"; arguments left out take the source's defaults.
        What the frameworks themselves export is understood: a param_group or
        the defaults of a PyTorch optimizer (with what a scheduler adds),
        Keras's get_config() and serialize(), numbers as 0-dimensional arrays
    source, target : "pytorch", "keras", "optax", "tensorflow" (1.x, the
        classes of tf.compat.v1.train) or "descent", the rules of this
        package, where a hyperparameter may come out as a function of t

    Returns a `Translation` with `.settings`, `.exact` and `.notes`.  Where
    the target has no equivalent, `.settings` are the nearest: an ε on the
    other side of the root keeps the smallest denominator, and a decay that
    the target does not offer is left out and named in `.notes`.

    Raises ValueError for an unknown framework, optimizer or argument, and
    for a value that is not allowed.

    >>> there = translate({"optimizer": "RMSprop", "rho": 0.9, "epsilon": 0.0,
    ...                    "learning_rate": 0.001})
    >>> there.exact, there.settings["alpha"], there.settings["lr"]
    (True, 0.9, 0.001)
    >>> translate({"optimizer": "RMSprop", "epsilon": 1e-8}).settings["eps"]
    0.0001
    """
    for argument, value in (("source", source), ("target", target)):
        if value not in NAMES:
            raise ValueError(f"{argument} = {value!r}, but it must be one of "
                             f"{', '.join(map(repr, NAMES))}")
    settings, scheduled = _exported(settings, source)
    name, full = _complete(settings, source)
    if source == target:
        return Translation({"optimizer": name, **full}, True, scheduled)
    wanted = READ[source](name, full).normal()
    if target == "descent":
        out, got = _to_descent(wanted)
    else:
        out = WRITE[target](wanted)
        got = READ[target](*_complete(out, target)).normal()
    notes = (*scheduled, *_losses(wanted, got, source, target),
             *_remarks(wanted, got, full, source, target))
    return Translation(out, wanted == got, notes)


# -- lines of code -----------------------------------------------------------

CALLS = {"pytorch": "torch.optim.{}(params, {})",
         "keras": "keras.optimizers.{}({})", "optax": "optax.{}({})",
         "tensorflow": "tf.compat.v1.train.{}({})"}


def settings_of(text, framework="keras"):
    """Read settings from a line of code, such as one that is pasted.

    text : the call that makes an optimizer, with or without its module and
        with a name before it or none; or a dict as `translate` takes it
    framework : whose line it is.  The first argument without a name is the
        rate, behind the parameters in PyTorch

    Raises ValueError with a sentence that says what cannot be read.

    >>> settings_of("keras.optimizers.RMSprop(0.01, rho=0.95)")
    {'optimizer': 'RMSprop', 'learning_rate': 0.01, 'rho': 0.95}
    >>> settings_of("opt = SGD(net.parameters(), lr=0.1)", "pytorch")
    {'optimizer': 'SGD', 'lr': 0.1}
    """
    example = line_of({"optimizer": "RMSprop"}, framework)
    try:
        call, = (line.value for line in ast.parse(text.strip()).body)
        name = (None if isinstance(call, ast.Dict)
                else getattr(call.func, "attr", None) or call.func.id)
    except (SyntaxError, AttributeError, ValueError):
        raise ValueError("this is no line that makes one optimizer: it must "
                         f"be like {example}") from None
    keys = call.keys if name is None else [word.arg for word in call.keywords]
    if None in keys:
        raise ValueError("a ** hides arguments: write them out")
    if name is None:
        return {_constant("a key", key): _constant(ast.unparse(key), value)
                for key, value in zip(keys, call.values)}
    rate = "lr" if framework == "pytorch" else "learning_rate"
    names = ["params", rate] if framework == "pytorch" else [rate]
    if len(call.args) > len(names):
        raise ValueError(f"{ast.unparse(call.args[-1])} has no name: write "
                         "name=value, only the rate may stand without")
    given = dict(zip(names, call.args))
    given |= {word.arg: word.value for word in call.keywords}
    return {"optimizer": name, **{key: _constant(key, value) for key, value
                                  in given.items() if key != "params"}}


def _constant(key, node):
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise ValueError(f"{key} = {ast.unparse(node)}, but it must be a "
                         "constant number: write the number itself") from None


def line_of(settings, framework="pytorch"):
    """Write the line of code that makes an optimizer with these settings.

    >>> line_of({"optimizer": "RMSprop", "lr": 0.001, "alpha": 0.9})
    'torch.optim.RMSprop(params, lr=0.001, alpha=0.9)'
    """
    if framework not in CALLS:
        raise ValueError(f"framework = {framework!r}, but it must be one of "
                         f"{', '.join(map(repr, CALLS))}")
    words = ", ".join(f"{key}={value!r}" for key, value in settings.items()
                      if key != "optimizer")
    return CALLS[framework].format(settings["optimizer"], words).replace(
        ", )", ")")


# -- reading -----------------------------------------------------------------


def _exported(settings, framework):
    """Settings as a framework exports them, as its arguments; and notes."""
    if not isinstance(settings, dict):
        return settings, ()  # refused by _complete
    if framework == "keras" and isinstance(settings.get("config"), dict):
        settings = {"optimizer": settings.get("class_name"),
                    **settings["config"]}
    notes = ()
    if framework == "pytorch":
        added = sorted(SCHEDULED & settings.keys())
        if added:
            notes = (f"A scheduler has written {', '.join(added)}: the rate "
                     "here is lr, that of the moment; its schedule is not "
                     "translated.",)
        given = {k: v for k, v in settings.items() if k not in SCHEDULED}
        if _short(given.get("optimizer")) == "adamw":
            # AdamW is Adam with this set; its constructor has no such argument
            if not given.pop("decoupled_weight_decay", True):
                raise ValueError("decoupled_weight_decay = False of AdamW "
                                 "must be True: with False it is Adam")
        settings = given
    return settings, notes


def _complete(settings, framework):
    """The optimizer's name and all its arguments, checked, defaults filled."""
    if not isinstance(settings, dict) or "optimizer" not in settings:
        raise ValueError(f"settings = {settings!r}, but it must be a dict "
                         "with the optimizer's name under 'optimizer'")
    table = DEFAULTS[framework]
    given = settings["optimizer"]
    name = {_short(n): n for n in table}.get(_short(given))
    if name is None:
        raise ValueError(f"optimizer = {given!r}, but translate knows of "
                         f"{NAMES[framework]}: {', '.join(table)}")
    full = dict(table[name])
    for key, value in settings.items():
        if key in full:
            full[key] = _checked(key, value, full[key], name)
        elif key != "optimizer" and key not in INERT[framework]:
            raise ValueError(f"{key} = {value!r}, but {NAMES[framework]}'s "
                             f"{name} has only {', '.join(full)}")
    for key, value in full.items():
        if value is REQUIRED:
            raise ValueError(f"{key} is missing: {NAMES[framework]}'s {name} "
                             "has no default for it")
    return name, full


def _short(name):
    return str(name).casefold().removesuffix("optimizer")


def _checked(key, value, default, name):
    def refuse(allowed):
        raise ValueError(f"{key} = {value!r} of {name} must be {allowed}")

    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # an array or a tensor that holds one number
    if isinstance(default, bool):
        if not isinstance(value, (bool, np.bool_)):
            refuse("True or False")
        return bool(value)
    if key in ("correct", "maximum"):
        choices = {"correct": ("both", "none", "first"),
                   "maximum": ("raw", "corrected")}[key]
        if value not in choices:
            refuse(f"one of {', '.join(map(repr, choices))}")
        return value
    if key == "betas":
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            refuse("a pair of numbers")
        return tuple(_checked("beta", beta, 0.9, name) for beta in value)
    if value is None and default is None or key in ("mask", "mu_dtype",
                                                    "accumulator_dtype"):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (int, float, np.integer, np.floating)):
        refuse("a constant number")
    below_one = key in ("rho", "beta", "beta_1", "beta_2", "b1", "b2",
                        "beta1", "beta2", "decay", "momentum", "mu") or (
        key == "alpha" and default == 0.99)  # PyTorch's name of β₂
    if not (0 <= value < (1 if below_one else np.inf)):
        refuse("at least 0 and less than 1" if below_one
               else "a finite number of at least 0")
    if default is None and key in ("ema_overwrite_frequency",
                                   "gradient_accumulation_steps"):
        return int(value)
    return float(value)


def _foreign(full):
    return tuple((key, value) for key, value in full.items()
                 if key in FOREIGN and value)


def _from_pytorch(name, s):
    common = dict(alpha=s["lr"], decay=s["weight_decay"], foreign=_foreign(s))
    if name == "SGD":
        return Algorithm("sgd", mu=s["momentum"], nesterov=s["nesterov"],
                         dampening=s["dampening"], **common)
    if name == "Adagrad":
        return Algorithm("adagrad", alpha_decay=s["lr_decay"], eps=s["eps"],
                         v0=s["initial_accumulator_value"], **common)
    if name == "RMSprop":
        return Algorithm("rmsprop", beta2=s["alpha"], mu=s["momentum"],
                         centered=s["centered"], eps=s["eps"], **common)
    return Algorithm("adam", beta1=s["betas"][0], beta2=s["betas"][1],
                     eps=s["eps"], correct_m=True, correct_v=True,
                     maximum="raw" if s["amsgrad"] else "",
                     decoupled=s.get("decoupled_weight_decay", True),
                     **common)


def _from_keras(name, s):
    common = dict(alpha=s["learning_rate"], decay=s["weight_decay"] or 0.0,
                  decoupled=True)
    # the average takes part in the path only where it overwrites
    inactive = () if s["use_ema"] else ("ema_overwrite_frequency",)
    common["foreign"] = tuple((key, value) for key, value in _foreign(s)
                              if key not in inactive)
    if name == "SGD":
        return Algorithm("sgd", mu=s["momentum"], nesterov=s["nesterov"],
                         **common)
    if name == "Adagrad":
        return Algorithm("adagrad", eps_root=s["epsilon"],
                         v0=s["initial_accumulator_value"], **common)
    if name == "RMSprop":
        return Algorithm("rmsprop", beta2=s["rho"], mu=s["momentum"],
                         centered=s["centered"], eps_root=s["epsilon"],
                         **common)
    return Algorithm("adam", beta1=s["beta_1"], beta2=s["beta_2"],
                     eps=s["epsilon"], eps_hat=True, correct_m=True,
                     correct_v=True, maximum="raw" if s["amsgrad"] else "",
                     **common)


def _from_optax(name, s):
    common = dict(alpha=s["learning_rate"], foreign=_foreign(s))
    if name == "sgd":
        return Algorithm("sgd", mu=s["momentum"] or 0.0,
                         nesterov=s["nesterov"], **common)
    if name == "adagrad":
        return Algorithm("adagrad", eps_root=s["eps"],
                         v0=s["initial_accumulator_value"], **common)
    if name == "rmsprop":
        inside = s["eps_in_sqrt"]
        return Algorithm("rmsprop", beta2=s["decay"], mu=s["momentum"] or 0.0,
                         nesterov=s["nesterov"], centered=s["centered"],
                         v0=s["initial_scale"],
                         eps_root=s["eps"] if inside else 0.0,
                         eps=0.0 if inside else s["eps"],
                         correct_v=s["bias_correction"], **common)
    return Algorithm("adam", beta1=s["b1"], beta2=s["b2"], eps=s["eps"],
                     eps_root=s["eps_root"], decoupled=True,
                     nesterov=s.get("nesterov", False),
                     decay=s.get("weight_decay", 0.0),
                     correct_m=s.get("bias_correction_mu", True),
                     correct_v=s.get("bias_correction_nu", True),
                     maximum="corrected" if name == "amsgrad" else "",
                     **common)


def _from_tensorflow(name, s):
    alpha = s["learning_rate"]
    if name == "GradientDescentOptimizer":
        return Algorithm("sgd", alpha)
    if name == "MomentumOptimizer":
        return Algorithm("sgd", alpha, mu=s["momentum"],
                         nesterov=s["use_nesterov"])
    if name == "AdagradOptimizer":
        return Algorithm("adagrad", alpha, v0=s["initial_accumulator_value"])
    if name == "RMSPropOptimizer":
        return Algorithm("rmsprop", alpha, beta2=s["decay"],
                         mu=s["momentum"], centered=s["centered"], v0=1.0,
                         eps_root=s["epsilon"])
    return Algorithm("adam", alpha, beta1=s["beta1"], beta2=s["beta2"],
                     eps=s["epsilon"], eps_hat=True, correct_m=True,
                     correct_v=True)


def _from_descent(name, s):
    inside = s.get("eps_inside", False)
    common = dict(alpha=s["alpha"], decay=s.get("weight_decay", 0.0),
                  decoupled=s.get("decoupled", name == "adamw"),
                  mu=s.get("mu", 0.0), beta1=s.get("beta1", 0.0),
                  beta2=s.get("beta2", 0.0), v0=s.get("v0", 0.0),
                  eps_root=s.get("eps", 0.0) if inside else 0.0,
                  eps=0.0 if inside else s.get("eps", 0.0))
    if name in ("gradient_descent", "momentum", "nesterov"):
        return Algorithm("sgd", nesterov=name == "nesterov", **common)
    if name == "adagrad":
        return Algorithm("adagrad", **common)
    if name.startswith("rmsprop"):
        return Algorithm("rmsprop", nesterov=s.get("nesterov", False),
                         centered=name == "rmsprop_centered", **common)
    correct = s.get("correct", "both")
    return Algorithm("adam", correct_m=correct != "none",
                     correct_v=correct == "both",
                     maximum=s.get("maximum", ""), **common)


READ = {"pytorch": _from_pytorch, "keras": _from_keras, "optax": _from_optax,
        "tensorflow": _from_tensorflow, "descent": _from_descent}


# -- writing -----------------------------------------------------------------
# A writer says the nearest thing that its framework can say.


def _inside(a):
    """The ε that, inside the root, has the same floor."""
    return a.eps_root if a.eps == 0 else a.floor**2


def _coupled(a):
    return 0.0 if a.decoupled else a.decay


def _to_pytorch(a):
    alpha = a.alpha * (1 - a.dampening)
    if a.family == "sgd":
        return {"optimizer": "SGD", "lr": a.alpha, "momentum": a.mu,
                "dampening": a.dampening, "nesterov": a.nesterov,
                "weight_decay": _coupled(a)}
    if a.family == "adagrad":
        return {"optimizer": "Adagrad", "lr": alpha, "eps": a.floor,
                "initial_accumulator_value": a.v0, "weight_decay": _coupled(a)}
    if a.family == "rmsprop":
        return {"optimizer": "RMSprop", "lr": alpha, "alpha": a.beta2,
                "eps": a.floor, "momentum": a.mu, "centered": a.centered,
                "weight_decay": _coupled(a)}
    return {"optimizer": "AdamW" if a.decoupled else "Adam", "lr": alpha,
            "betas": (a.beta1, a.beta2), "eps": a.floor,
            "weight_decay": a.decay, "amsgrad": bool(a.maximum)}


def _to_keras(a):
    alpha = a.alpha * (1 - a.dampening)
    stays = a.decoupled or a.family == "sgd" and a.mu == 0
    decay = {"weight_decay": a.decay} if a.decay and stays else {}
    if a.family == "sgd":
        return {"optimizer": "SGD", "learning_rate": alpha, "momentum": a.mu,
                "nesterov": a.nesterov, **decay}
    if a.family == "adagrad":
        return {"optimizer": "Adagrad", "learning_rate": alpha,
                "initial_accumulator_value": a.v0, "epsilon": _inside(a),
                **decay}
    if a.family == "rmsprop":
        return {"optimizer": "RMSprop", "learning_rate": alpha,
                "rho": a.beta2, "momentum": a.mu, "epsilon": _inside(a),
                "centered": a.centered, **decay}
    return {"optimizer": "AdamW" if decay else "Adam",
            "learning_rate": alpha, "beta_1": a.beta1, "beta_2": a.beta2,
            "epsilon": a.floor, "amsgrad": bool(a.maximum), **decay}


def _to_optax(a):
    alpha = a.alpha * (1 - a.dampening)
    if a.family == "sgd":
        return {"optimizer": "sgd", "learning_rate": alpha,
                "momentum": a.mu or None, "nesterov": a.nesterov}
    if a.family == "adagrad":
        return {"optimizer": "adagrad", "learning_rate": alpha,
                "initial_accumulator_value": a.v0, "eps": _inside(a)}
    if a.family == "rmsprop":
        return {"optimizer": "rmsprop", "learning_rate": alpha,
                "decay": a.beta2, "eps": a.eps or a.eps_root,
                "eps_in_sqrt": a.eps == 0, "initial_scale": a.v0,
                "centered": a.centered, "momentum": a.mu or None,
                "nesterov": a.nesterov, "bias_correction": a.correct_v}
    adam = {"learning_rate": alpha, "b1": a.beta1, "b2": a.beta2,
            "eps": a.eps, "eps_root": a.eps_root}
    if a.maximum:
        return {"optimizer": "amsgrad", **adam,
                "bias_correction_mu": a.correct_m,
                "bias_correction_nu": a.correct_v}
    if a.decoupled:
        return {"optimizer": "adamw", **adam, "weight_decay": a.decay,
                "nesterov": a.nesterov}
    return {"optimizer": "adam", **adam, "nesterov": a.nesterov}


def _to_tensorflow(a):
    alpha = a.alpha * (1 - a.dampening)
    if a.family == "sgd" and a.mu == 0:
        return {"optimizer": "GradientDescentOptimizer",
                "learning_rate": alpha}
    if a.family == "sgd":
        return {"optimizer": "MomentumOptimizer", "learning_rate": alpha,
                "momentum": a.mu, "use_nesterov": a.nesterov}
    if a.family == "adagrad":  # its start must be positive, it has no ε
        return {"optimizer": "AdagradOptimizer", "learning_rate": alpha,
                "initial_accumulator_value": a.v0 or a.floor**2 or 1e-30}
    if a.family == "rmsprop":
        return {"optimizer": "RMSPropOptimizer", "learning_rate": alpha,
                "decay": a.beta2, "momentum": a.mu, "epsilon": _inside(a),
                "centered": a.centered}
    return {"optimizer": "AdamOptimizer", "learning_rate": alpha,
            "beta1": a.beta1, "beta2": a.beta2, "epsilon": a.floor}


WRITE = {"pytorch": _to_pytorch, "keras": _to_keras, "optax": _to_optax,
         "tensorflow": _to_tensorflow}


def _to_descent(a):
    """The rule and its hyperparameters, and the Algorithm that they are."""
    got = replace(a, foreign=(), dampening=0.0,
                  alpha=a.alpha * (1 - a.dampening))
    if a.family == "adam" and a.nesterov:
        got = replace(got, nesterov=False)
    if a.eps and a.eps_root:
        got = replace(got, eps=a.floor, eps_root=0.0)
    if a.family == "rmsprop" and a.correct_v and a.v0:
        got = replace(got, v0=0.0)
    if a.centered and a.correct_v:  # v̂_1 − m̂_1² is 0 but for its rounding
        got = replace(got, correct_v=False, correct_m=False)
    a = got
    out = {"alpha": a.alpha}
    if a.alpha_decay:
        out["alpha"] = lambda t: a.alpha / (1 + (t - 1) * a.alpha_decay)
    if a.family in ("sgd", "rmsprop") and a.mu:
        out["mu"] = a.mu
    if a.family == "adam":
        out["beta1"] = a.beta1
    if a.family in ("rmsprop", "adam"):
        out["beta2"] = a.beta2
    if a.family == "rmsprop" and a.correct_v:  # v̂'s own decay rate
        out["beta2"] = lambda t: (a.beta2 * (1 - a.beta2 ** (t - 1))
                                  / (1 - a.beta2**t))
    if a.family != "sgd":
        out |= {"eps": a.eps or a.eps_root, "eps_inside": a.eps_root > 0}
    if a.eps_hat:
        out["eps"] = lambda t: a.eps / np.sqrt(1 - a.beta2**t)
    if a.family in ("adagrad", "rmsprop") and a.v0:
        out["v0"] = a.v0
    if a.decay:
        out["weight_decay"] = a.decay
    if a.family == "sgd":
        rule = ("gradient_descent" if not a.mu else
                "nesterov" if a.nesterov else "momentum")
    elif a.family == "adagrad":
        rule = "adagrad"
    elif a.family == "rmsprop":
        rule = ("rmsprop_centered" if a.centered else
                "rmsprop_momentum" if a.mu else "rmsprop")
        if a.nesterov:
            out["nesterov"] = True
    elif a.maximum:
        rule, out["maximum"] = "amsgrad", a.maximum
        _uncorrect(a, out)
    else:
        rule = ("adam" if not a.decay else
                "adamw" if a.decoupled else "adam_l2")
        if not a.correct_v:
            out["correct"] = "first" if a.correct_m else "none"
    if a.decoupled and rule != "adamw":
        out["decoupled"] = True
    return {"optimizer": rule, **out}, got


def _uncorrect(a, out):
    """AMSGrad without a correction: α_t and ε_t that cancel it."""
    if a.correct_m and a.correct_v:
        return

    def c_m(t):
        return 1 if a.correct_m else 1 - a.beta1**t

    def c_v(t):
        return 1 if a.correct_v else 1 - a.beta2**t

    power = 1 if a.eps_root else 0.5
    eps = out["eps"]
    out["alpha"] = lambda t: a.alpha * c_m(t) / np.sqrt(c_v(t))
    out["eps"] = lambda t: eps / c_v(t) ** power


# -- notes -------------------------------------------------------------------


def _losses(a, b, source, target):
    """What differs between the wanted algorithm and the one obtained."""
    here, there = NAMES[source], NAMES[target]
    for key, value in a.foreign:
        yield (f"{key} = {value!r} is left out: it {FOREIGN[key]}, which is "
               "no part of the update rule.")
    if a.alpha_decay != b.alpha_decay:
        yield (f"lr_decay = {a.alpha_decay:g} is left out: {there} wants a "
               f"schedule, {a.alpha:g}/(1 + {a.alpha_decay:g}(t − 1)).")
    if a.dampening != b.dampening:
        yield (f"{there} has no dampening; the rate is multiplied by "
               f"1 − {a.dampening:g}, which agrees after the first steps.")
    if a.maximum != b.maximum:
        yield (f"{there} has no AMSGrad; this is Adam." if not b.maximum else
               f"AMSGrad's maximum is taken of the {a.maximum} second moment "
               f"in {here}, of the {b.maximum} one in {there}.")
    if (a.correct_m, a.correct_v) != (b.correct_m, b.correct_v):
        yield (f"The bias correction differs: {here} corrects "
               f"{_corrected(a)}, {there} corrects {_corrected(b)}.")
    if a.nesterov != b.nesterov:
        yield (f"{there} has no Nesterov momentum here; this is the plain "
               "form.")
    if a.v0 != b.v0:
        yield (f"The second moment starts at {a.v0:g} in {here} and at "
               f"{b.v0:g} in {there}: the first steps differ.")
    if (a.eps, a.eps_root, a.eps_hat) != (b.eps, b.eps_root, b.eps_hat):
        yield _epsilon(a, b, here, there)
    if (a.decay, a.decoupled) != (b.decay, b.decoupled):
        yield _decay(a, there, target)


def _corrected(a):
    return {(True, True): "both moments", (True, False): "the first moment",
            (False, True): "the second moment",
            (False, False): "neither moment"}[a.correct_m, a.correct_v]


def _epsilon(a, b, here, there):
    def form(c):
        v = "v" if c.family in ("adagrad", "rmsprop") else "v̂"
        v = "(v − m²)" if c.centered else v
        root = f"({v} + {c.eps_root:g})" if c.eps_root else v
        if c.eps_hat:
            return f"√{v} + {c.eps:g}/√(1 − β₂^t)"
        return f"√{root} + {c.eps:g}" if c.eps else f"√{root}"

    text = (f"ε has another place: {here} divides by {form(a)}, {there} by "
            f"{form(b)}.")
    if a.eps_hat != b.eps_hat and a.eps_root == b.eps_root:
        return text + (f" The two differ by a factor "
                       f"{1 / sqrt(1 - a.beta2):.3g} in ε at t = 1 and agree "
                       "as t grows.")
    return text + " The smallest denominator is the same."


def _decay(a, there, target):
    kind = "decoupled" if a.decoupled else "coupled"
    text = f"{there} has no {kind} weight decay here; it is left out. "
    if a.decoupled and target == "optax":
        return text + ("To add it: optax.chain(..., "
                       "optax.add_decayed_weights("
                       f"-{a.alpha * a.decay:g})) after the optimizer, where "
                       f"{a.alpha * a.decay:g} is rate times decay, at a "
                       "constant rate.")
    if a.decoupled:
        return text + ("To add it: multiply the parameters by "
                       f"1 − {a.alpha * a.decay:g} (decay times the rate of "
                       "the step) before each step, after the gradient is "
                       "computed.")
    if target == "optax":
        return text + ("To add it: optax.chain(optax.add_decayed_weights("
                       f"{a.decay:g}), ...) before the optimizer.")
    return text + (f"To add it: put the penalty ½·{a.decay:g}·‖θ‖² into the "
                   "loss" + (f" (kernel_regularizer=L2({a.decay / 2:g}))."
                             if target == "keras" else "."))


def _buffer(framework, a):
    """Where the rate multiplies: inside the momentum buffer, or outside."""
    inside = {"sgd": ("keras",), "rmsprop": ("keras", "optax", "tensorflow")}
    return framework in inside.get(a.family, ())


def _remarks(a, b, full, source, target):
    """What is the same here but would not be elsewhere."""
    if a.mu and _buffer(source, a) != _buffer(target, b):
        inside, outside = ((source, target) if _buffer(source, a)
                           else (target, source))
        yield (f"{NAMES[inside]} keeps the rate inside the momentum buffer, "
               f"{NAMES[outside]} outside: the same at a constant rate, "
               "different under a schedule.")
    if full.get("use_ema"):
        yield ("use_ema averages beside the path; the average that Keras "
               "puts in place at the end of training is not carried over.")
    if a.family == "adam" and a.decay and a.decoupled and b.decoupled and (
            full.get("weight_decay")) and source == "keras":
        yield ("Keras's weight_decay is always decoupled: this is AdamW.")
    if a.family == "adam" and a.beta1 == 0 and full.get("bias_correction"):
        yield ("RMSprop with bias correction is Adam with β₁ = 0.")
    if (a.family != "sgd" and a.floor == 0
            and (a.v0 == 0 or a.family != "adagrad")):
        yield ("With ε = 0 a coordinate whose gradients have all been 0 "
               "divides 0 by 0: NaN in PyTorch, Keras, TensorFlow and most "
               "of Optax, no step in descent and in Optax's adagrad.")
