"""RMSprop and Adam, step by step: the update rules, one line per equation.

Needs numpy alone.  The figures (`descent.figures.explore`, `descent.figures.plots`) are
imported by name where they are wanted.
"""

from descent.frameworks import translate
from descent.gradients import check_gradient
from descent.loop import NaNGradient, run
from descent.rules import (
    State,
    adagrad,
    adam,
    adam_l2,
    adamw,
    amsgrad,
    gradient_descent,
    momentum,
    nesterov,
    rmsprop,
    rmsprop_centered,
    rmsprop_momentum,
    sign_descent,
)

__version__ = "0.1.0"

__all__ = [
    "NaNGradient", "State", "adagrad", "adam", "adam_l2", "adamw", "amsgrad",
    "check_gradient", "gradient_descent", "momentum", "nesterov", "rmsprop", "rmsprop_centered",
    "rmsprop_momentum", "run", "sign_descent", "translate",
]
