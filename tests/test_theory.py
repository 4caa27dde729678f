"""The closed forms together: what they refuse. What each of them says is tested with its chapter."""

import numpy as np
import pytest

from descent import theory


@pytest.mark.parametrize("call, named", [
    (lambda: theory.startup_ratio(1, 9, 0.999), "beta1 = 9 must be from 0"),
    (lambda: theory.startup_ratio(1, 0.9, beta2=[0.9, 99]), "beta2 = 99.0"),
    (lambda: theory.half_life(-0.5), "beta = -0.5 must be from 0 to 1"),
    (lambda: theory.half_life(np.nan), "beta = nan must be from 0 to 1"),
    (lambda: theory.heavy_ball_step(1, mu=1.5), "mu = 1.5 must be from 0")])
def test_a_closed_form_refuses_a_decay_rate_that_is_none(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_a_closed_form_takes_the_limits_of_a_decay_rate():
    assert theory.variance_factor(9, 1.0) == 0 and theory.variance_factor(9, 0) == 1
