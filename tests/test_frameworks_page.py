"""The page about frameworks: its lines to copy, its exercises, its form."""

import math

import numpy as np
import pytest

from descent import adam, exercises, run, translate
from descent.exercises import frameworks
from descent.recorded.paths import distance


@pytest.fixture
def said(capsys):
    """What a check prints, when called with these arguments."""
    def say(check, *args):
        assert check(*args) is None
        return capsys.readouterr().out
    return say


# ---- the exercises --------------------------------------------------------


def test_tensorflow_by_hand_is_correct_and_reveals_nothing(said):
    t = math.ceil(math.log(3 * 0.02**2 / (1 + 3 * 0.02**2)) / math.log(0.9))
    text = said(exercises.check_tensorflow_by_hand, (0.003, 0.9, 1e-5, t))
    assert text.count("correct") == 4
    wrong = said(exercises.check_tensorflow_by_hand, (0.01, 0.99, 1e-10, t - 1))
    assert "correct" not in wrong and wrong.count("likely cause") == 4
    for answer in ("0.003", "1e-05", str(t)):
        assert answer not in wrong


def test_a_tensorflow_skeleton_is_not_done(said):
    text = said(exercises.check_tensorflow_by_hand, lambda: (None,) * 4)
    assert text.count("not done yet") == 4


def test_the_crawl_ends_where_two_loops_say():
    g, v_old, v_new, t = 0.02, 1.0, 0.0, 0
    while True:
        t += 1
        v_old, v_new = (0.9 * v + 0.1 * g**2 for v in (v_old, v_new))
        if math.sqrt((v_new + 1e-10) / (v_old + 1e-10)) >= 0.5:
            break
    assert frameworks._crawl_ends() == t


@pytest.mark.parametrize("function, cause", [
    (lambda lr, rho, eps, wd: (lr, rho, eps, wd, 1.0), "colleague's"),
    (lambda lr, rho, eps, wd: (lr, rho, eps, 0, 1 - lr * wd), "smallest denominator"),
    (lambda lr, rho, eps, wd: (lr, rho, eps**0.5, wd, 1.0), "divided by √v"),
    (lambda lr, rho, eps, wd: (lr, rho, eps**0.5, 0, 1 - wd), "multiplied by the rate"),
    (lambda lr, rho, eps, wd: (lr, rho, eps**0.5, 0, 1.0), "decay is lost"),
    (lambda lr, rho, eps, wd: (lr, rho, eps**0.5, wd, 1 - lr * wd), "twice"),
    (lambda lr, rho, eps, wd: (lr, rho, eps**2, 0, 1 - lr * wd), "wrong direction"),
])
def test_a_wrong_converter_is_diagnosed(function, cause, said):
    assert cause in said(exercises.check_converter, function)


def test_a_right_converter_is_correct_and_agrees_with_translate(said):
    def convert(lr, rho, eps, wd):
        return lr, rho, eps**0.5, 0.0, 1 - lr * wd

    assert said(exercises.check_converter, convert) == "convert: correct\n"
    there = translate({"optimizer": "RMSprop", "learning_rate": 0.01, "rho": 0.9,
                       "epsilon": 1e-6, "weight_decay": 0.1}).settings
    assert convert(0.01, 0.9, 1e-6, 0.1)[:4] == tuple(
        there[key] for key in ("lr", "alpha", "eps", "weight_decay"))


@pytest.mark.parametrize("beta2", [0.0, 0.1, 0.9, 0.999])
def test_keras_adam_is_pytorch_adam_only_without_memory(beta2):
    """The proof of the last exercise, on a constant gradient."""
    g = np.full((3, 1), 0.5)
    paths = [run(adam, theta0=[0.0], gradients=g, beta2=beta2, eps=eps).theta
             for eps in (0.01, lambda t: 0.01 / np.sqrt(1 - beta2**t))]
    assert (distance(*paths).max() < 1e-12) == (beta2 == 0)
    assert translate({"optimizer": "Adam", "beta_2": beta2}).exact == (beta2 == 0)
