"""Chapter 10: its laws against simulations, sums and exact recursions."""

import numpy as np
import pytest
import sympy

from descent import adam, amsgrad, exercises, rmsprop, run, theory
from descent.problems import noisy

ROUNDING = 1e-9


def late_steps(eta, beta1, beta2, steps, streams):
    """Adam's steps over α (ε = 0), the second half, every fifth."""
    path = run(adam, theta0=[0.0], beta1=beta1, beta2=beta2, eps=0.0,
               gradients=noisy(steps, eta, seed=list(range(streams))),
               record=5)
    late = path.t > steps / 2
    return (path.m_hat[late] / np.sqrt(path.v_hat[late]))[..., 0]


def mean_and_error(x):
    """The mean of x, shape (steps, streams), and its standard error."""
    return x.mean(), x.mean(0).std() / np.sqrt(x.shape[1])


# ---- the law of noise -----------------------------------------------------


@pytest.mark.equation("10.1")
@pytest.mark.parametrize("eta", [0.3, 1.0, 3.0])
def test_mean_step_tends_to_the_root_of_the_signal_share(eta):
    mean, error = mean_and_error(late_steps(eta, 0.9, 0.9995, 6000, 150))
    assert abs(mean - theory.mean_step(eta)) < 4 * error
    assert 4 * error < 0.03 * theory.mean_step(eta)


@pytest.mark.equation("10.1")
def test_mean_step_is_signal_over_root_of_the_second_moment():
    for eta in (0.0, 0.5, 2.0, 7.0):
        second = 1.0 + eta * eta
        assert theory.mean_step(eta) ** 2 * second == pytest.approx(1.0)


@pytest.mark.equation("10.2")
@pytest.mark.parametrize("beta1", [0.0, 0.5, 0.9])
def test_rms_step_counts_signal_and_the_noise_that_is_left(beta1):
    weights = (1 - beta1) * beta1 ** np.arange(2000)
    for eta in (0.0, 0.5, 2.0, 7.0):
        square = (1 + eta**2 * (weights**2).sum()) / (1 + eta**2)
        assert theory.rms_step(eta, beta1) == pytest.approx(
            np.sqrt(square), rel=ROUNDING)


def test_rms_step_is_measured():
    steps = late_steps(2.0, 0.5, 0.999, 4000, 100)
    assert np.sqrt((steps**2).mean()) == pytest.approx(
        theory.rms_step(2.0, 0.5), rel=0.01)


@pytest.mark.equation("10.3")
@pytest.mark.parametrize("beta1", [0.0, 0.6, 0.9])
def test_rms_step_on_noise_is_the_limit_of_much_noise(beta1):
    weights = (1 - beta1) * beta1 ** np.arange(2000)
    right = np.sqrt((weights**2).sum())
    assert theory.rms_step_on_noise(beta1) == pytest.approx(right)
    assert theory.rms_step(1e9, beta1) == pytest.approx(right)


@pytest.mark.equation("10.4")
@pytest.mark.parametrize("beta1, beta2", [
    (0.0, 0.9), (0.9, 0.9), (0.5, 0.97), (0.9, 0.999)])
def test_second_order_has_the_sums_of_covariance_and_variance(beta1, beta2):
    k = np.arange(20_000)
    a, b = (1 - beta1) * beta1**k, (1 - beta2) * beta2**k
    for eta in (0.3, 1.0, 2.0, 7.0):
        V = 1 + eta**2
        cov = (a * b).sum() * 2 * eta**2
        var = (b**2).sum() * (4 * eta**2 + 2 * eta**4)
        right = (1 - cov / (2 * V) + 3 / 8 * var / V**2) / np.sqrt(V)
        assert theory.mean_step_to_second_order(
            eta, beta1, beta2) == pytest.approx(right, rel=ROUNDING)


def test_second_order_is_the_expansion_of_the_quotient():
    d, x = sympy.symbols("d x")
    series = sympy.series((1 + d * x) ** sympy.Rational(-1, 2), d, 0, 3)
    assert sympy.expand(series.removeO() - (
        1 - d * x / 2 + sympy.Rational(3, 8) * d**2 * x**2)) == 0


@pytest.mark.parametrize("eta", [1.0, 2.0])
def test_second_order_is_nearer_than_the_limit(eta):
    mean, error = mean_and_error(late_steps(eta, 0.0, 0.9, 1000, 1500))
    near = theory.mean_step_to_second_order(eta, 0.0, 0.9)
    assert abs(mean - near) < 0.005 + 2 * error
    assert abs(mean - theory.mean_step(eta)) > 4 * error


@pytest.mark.equation("10.5")
@pytest.mark.parametrize("beta1, beta2", [
    (0.0, 0.9), (0.9, 0.9), (0.5, 0.97), (0.9, 0.999)])
def test_rms_on_noise_has_the_sums_of_covariance_and_variance(beta1, beta2):
    k = np.arange(20_000)
    a, b = (1 - beta1) * beta1**k, (1 - beta2) * beta2**k
    F1 = (a**2).sum()
    relative = -(a**2 * b * 2).sum() / F1 + 2 * (b**2).sum()
    assert theory.rms_on_noise_to_second_order(
        beta1, beta2) == pytest.approx(np.sqrt(F1) * (1 + relative / 2),
                                       rel=ROUNDING)


def test_rms_on_noise_is_measured():
    steps = late_steps(1e9, 0.9, 0.9, 1000, 1000)
    assert np.sqrt((steps**2).mean()) == pytest.approx(
        theory.rms_on_noise_to_second_order(0.9, 0.9), rel=0.01)


# ---- equal betas ----------------------------------------------------------


@pytest.mark.equation("10.6")
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 0.99])
def test_spread_is_v_minus_m_squared_on_any_gradients(beta):
    g = np.random.default_rng(1).standard_normal((80, 3)) ** 3 + [0, 1, 5]
    path = run(adam, theta0=np.zeros(3), gradients=g, beta1=beta, beta2=beta)
    u = theory.spread(g, beta)
    assert u == pytest.approx(path.v[1:] - path.m[1:]**2, rel=1e-8, abs=1e-12)
    assert (u >= 0).all()


def test_spread_obeys_its_recursion_in_symbols():
    b, m, v, g = sympy.symbols("b m v g")
    after = b * v + (1 - b) * g**2 - (b * m + (1 - b) * g) ** 2
    assert sympy.expand(after - b * (v - m**2)
                        - b * (1 - b) * (g - m) ** 2) == 0


@pytest.mark.equation("10.7")
@pytest.mark.parametrize("beta", [0.3, 0.9, 0.99])
def test_with_equal_betas_the_step_is_a_meter(beta):
    g = np.random.default_rng(2).standard_normal((50, 3)) + [0, -1, 5]
    path = run(adam, theta0=np.zeros(3), gradients=g, beta1=beta, beta2=beta)
    m, t = path.m[1:], path.t[1:, None]
    meter = theory.equal_betas_step(m, path.v[1:] - m**2, t, beta)
    assert meter == pytest.approx(
        path.m_hat[1:] / np.sqrt(path.v_hat[1:]), rel=1e-8)


@pytest.mark.equation("10.8")
@pytest.mark.parametrize("beta", [0.3, 0.9, 0.99])
def test_spread_of_white_noise_is_variance_less_that_of_the_mean(beta):
    weights = (1 - beta) * beta ** np.arange(5000)
    right = 9.0 * (weights.sum() - (weights**2).sum())
    assert theory.expected_spread(beta, 9.0) == pytest.approx(right)


@pytest.mark.equation("10.9")
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("factor", [0.05, 0.4])
def test_signal_share_undoes_the_noise_that_an_average_keeps(share, factor):
    Q = share + factor * (1 - share)
    assert theory.signal_share(Q, factor) == pytest.approx(share, abs=1e-12)


# ---- the floor ------------------------------------------------------------


@pytest.mark.equation("10.10")
def test_distance_under_a_schedule_is_that_of_gradient_descent():
    rates, sigma, lam = np.array([0.5, 0.1, 0.3]), 2.0, 3.0
    factor = 1 - rates * lam / sigma
    start = np.prod(factor**2) * 7.0
    noise = sum(rates[i]**2 * np.prod(factor[i + 1:]**2) for i in range(3))
    path = theory.distance_under_schedule(rates, 7.0, sigma, lam)
    assert path.shape == (4,) and path[0] == 7.0
    assert path[-1] == pytest.approx(start + noise)


@pytest.mark.equation("10.10")
def test_distance_is_measured_where_v_is_the_variance_of_the_noise():
    rates, draw = 0.2 * np.ones((300, 1)), np.random.default_rng(4)
    theta = np.full(20_000, 2.0)
    for rate in rates[:, 0]:
        theta = theta - rate / 3 * (0.5 * theta
                                    + 3 * draw.standard_normal(20_000))
    predicted = theory.distance_under_schedule(rates, 4.0, 3.0, 0.5)[-1, 0]
    error = (theta**2).std() / np.sqrt(20_000)
    assert abs((theta**2).mean() - predicted) < 4 * error


@pytest.mark.equation("10.11", "10.12")
def test_floor_is_the_balance_at_a_small_rate():
    alpha, sigma, lam = 1e-4, 2.0, 3.0
    path = theory.distance_under_schedule(
        np.full(60_000, alpha), 0.0, sigma, lam)
    assert theory.noise_floor(alpha, sigma, lam) == pytest.approx(
        path[-1], rel=2e-4)
    assert theory.noise_floor_of_loss(alpha, sigma) == pytest.approx(
        lam * path[-1] / 2, rel=2e-4)


@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_adam_stays_on_its_floor_whatever_its_momentum(beta1):
    draw = np.random.default_rng(6)
    path = run(adam, lambda x: x + draw.standard_normal(x.shape),
               np.zeros((300, 1)), 2500, alpha=0.1, beta1=beta1, record=25)
    f = path.theta[20:, :, 0]**2 / 2
    mean, error = mean_and_error(f)
    right = theory.noise_floor_of_loss(0.1, 1.0)
    assert abs(mean - right) < 0.05 * right + 4 * error


@pytest.mark.parametrize("share, rest", [(0.4, 0.91), (1.0, 0.85)])
def test_the_floor_sinks_where_the_signal_lifts_v(share, rest):
    draw = np.random.default_rng(9)
    path = run(adam, lambda x: 10 * share * x + draw.standard_normal(x.shape),
               np.zeros((300, 1)), 2500, alpha=0.1, record=25)
    f = 10 * share * path.theta[20:, :, 0]**2 / 2
    mean, error = mean_and_error(f)
    assert abs(mean / 0.025 - rest) < 0.02 + 4 * error / 0.025


def test_no_single_step_does_better_than_the_best_schedule():
    z, slope = 1.0, 0.5  # λ/σ
    for _ in range(5):
        rates = np.linspace(0, 1, 2001)
        reached = theory.distance_under_schedule(
            rates[None], z, 1.0, slope)[-1]
        best = slope * z / (1 + slope**2 * z)
        assert rates[reached.argmin()] == pytest.approx(best, abs=1e-3)
        assert reached.min() == pytest.approx(1 / (1 / z + slope**2), rel=1e-6)
        z = 1 / (1 / z + slope**2)


def test_a_rate_that_goes_to_zero_removes_the_floor():
    draw = np.random.default_rng(7)
    path = run(adam, lambda x: x + draw.standard_normal(x.shape),
               np.zeros((300, 1)), 2000, record=2000,
               alpha=lambda t: 0.1 * (1 - (t - 1) / 2000))
    f = (path.theta[-1]**2).mean() / 2
    assert f < 0.1 * theory.noise_floor_of_loss(0.1, 1.0)


def test_without_noise_adam_comes_back():
    path = run(adam, lambda x: x, [1.0], 7500, alpha=0.1)
    size = np.abs(path.theta[:, 0])
    assert size[5000:5500].max() < 1e-100 and size[6500:].max() > 0.01
    turned = size[:6800].argmin()
    assert 0.1 / np.sqrt(path.v_hat[turned, 0]) == pytest.approx(38, rel=0.05)


@pytest.mark.parametrize("alpha, lam", [(0.1, 1.0), (0.3, 4.0)])
def test_in_the_end_adam_bursts_to_a_quarter_of_alpha(alpha, lam):
    path = run(adam, lambda x: lam * x, [1.0], 20_000, alpha=alpha)
    size = np.abs(path.theta[15_000:, 0]) / alpha
    assert 0.2 < size.max() < 0.3 and np.median(size) < 0.01
    pauses = np.diff(np.flatnonzero(size > 0.1))
    assert 300 < pauses[pauses > 100].mean() < 500


@pytest.mark.parametrize("rule, eps", [(amsgrad, 1e-8), (adam, 0.01)])
def test_adam_stays_where_its_rate_cannot_grow(rule, eps):
    path = run(rule, lambda x: x, [1.0], 8000, alpha=0.1, eps=eps)
    assert np.abs(path.theta[6500:]).max() < 1e-140


def test_beside_a_minimum_at_1_rounding_lets_adam_rest():
    path = run(adam, lambda x: x - 1, [2.0], 20_000, alpha=0.1)
    assert np.flatnonzero(path.theta[:, 0] != 1)[-1] == 674


def test_in_50_dimensions_rounding_rarely_lets_adam_rest():
    draw, (runs, d) = np.random.default_rng(3), (16, 50)
    root = draw.standard_normal((runs, d, d))
    H = root @ np.swapaxes(root, 1, 2) / d + 0.1 * np.eye(d)
    low, start = draw.standard_normal((2, runs, d))
    path = run(adam, lambda x: np.einsum("sij,sj->si", H, x - low),
               low + start, 20_000, alpha=0.1, record=5)
    far = np.abs(path.theta[3000:] - low).max((0, 2)) / 0.1
    assert (far > 0.1).sum() >= 12 and far.max() < 0.3


def test_noise_that_sums_to_zero_in_an_epoch_leaves_less_in_an_average():
    n, beta = 17, 0.9
    w = (1 - beta) * beta ** np.arange(n)
    draw = np.random.default_rng(11)
    noise = draw.standard_normal((n, 20_000))
    noise = (noise - noise.mean(0)) * np.sqrt(n / (n - 1))
    left = (n * (w**2).sum() - w.sum()**2) / (n - 1)
    assert (w @ noise).var() == pytest.approx(left, rel=0.05)
    assert left / (1 - beta ** (2 * n)) == pytest.approx(0.0113, abs=1e-4)


@pytest.mark.parametrize("beta2", [0.5, 0.9, 0.99])
def test_rmsprop_is_at_most_alpha_in_the_mean_square(beta2):
    g = np.random.default_rng(8).standard_normal(20_000) ** 3
    path = run(rmsprop, theta0=0.0, gradients=g, beta2=beta2, eps=0.0)
    r, v = g[1:]**2 / path.v[2:], path.v[1:]
    bound = (1 - beta2 * (v[0] / v[-1]) ** (1 / len(r))) / (1 - beta2)
    assert r.mean() <= bound and bound == pytest.approx(1, abs=0.05)


# ---- the checks -----------------------------------------------------------


def share(g, beta, hats=True, F=None):
    t, m, v = len(g), 0, 0
    for g_t in g:
        m = beta * m + (1 - beta) * g_t
        v = beta * v + (1 - beta) * g_t**2
    mass = 1 - beta**t
    Q = (m**2).sum() / v.sum() / (mass if hats else 1)
    F = (theory.corrected_weights(t, beta)**2).sum() if F is None else F
    return (Q - F) / (1 - F)


def test_a_right_signal_share_is_correct(capsys):
    exercises.check_signal_share(share)
    assert capsys.readouterr().out == "share: correct\n"


@pytest.mark.parametrize("options, cause", [
    ({"hats": False, "F": 0.0}, "this is the snippet"),
    ({"F": 0.0}, "the noise in m̂² is still there"),
    ({"hats": False}, "the averages are not corrected")])
def test_a_wrong_signal_share_is_diagnosed(capsys, options, cause):
    exercises.check_signal_share(lambda g, beta: share(g, beta, **options))
    assert cause in capsys.readouterr().out


@pytest.mark.parametrize("check, right, wrong", [
    ("signal_shows", (101**-0.5, 100), (101**-0.5, 10)),
    ("signal_shows", (101**-0.5, 100), (100, 101**-0.5)),
    ("share_on_noise", 1 / 19, 0.229)])
def test_numbers_are_accepted_and_slips_diagnosed(capsys, check, right, wrong):
    function = getattr(exercises, f"check_{check}")
    function(right)
    assert capsys.readouterr().out.endswith("correct\n")
    function(wrong)
    assert "likely cause" in capsys.readouterr().out


def kept(beta, n, products=True, earlier=True):
    w = (1 - beta) * beta ** np.arange(n)
    together = np.eye(n) - products * (1 - np.eye(n)) / (n - 1)
    return w @ together @ w / (1 - earlier * beta ** (2 * n))


@pytest.mark.parametrize("answer, verdict", [
    (kept, "correct"), (lambda beta, n: None, "not done yet"),
    (lambda beta, n: kept(beta, n, products=False), "F₁"),
    (lambda beta, n: kept(beta, n, earlier=False), "earlier epochs"),
    (lambda beta, n: kept(beta, n, earlier=beta**-n), "not βⁿ"),
    (lambda beta, n: kept(beta, n, products=-1), "sum to zero"),
    (lambda beta, n: kept(beta, n, products=(n - 1) / n), "not n²")])
def test_the_noise_of_a_dealt_epoch_is_judged(capsys, answer, verdict):
    exercises.check_dealt_noise(answer)
    assert verdict in capsys.readouterr().out


def cosine(t):
    return 0.015 * (1 + np.cos(np.pi * (t - 1) / 1000))


@pytest.mark.parametrize("schedule, verdict", [
    (lambda t: 1 / (1 + t), "correct"),
    (lambda t: 1.5 / (t + 10), "correct"),
    (None, "not done yet"),
    (lambda t: None, "not done yet"),
    (lambda t: 0.01, "a floor stays"),
    (lambda t: 0.0, "the mean of θ is still 1"),
    (lambda t: 0.002 / t, "before the way was done"),
    (cosine, "what is left is noise"),
    (lambda t: -t, "from 0 to 1"),
    (lambda t: np.nan, "from 0 to 1"),
    (lambda t: "fast", "from 0 to 1"),
    (lambda t: [t, t], "from 0 to 1"),
    (0.1, "it must be a function of t"),
    (lambda: 0.1, "raised TypeError"),
    (lambda t: 1 / (t - 1), "raised ZeroDivisionError")])
def test_a_schedule_is_judged_by_its_floor(capsys, schedule, verdict):
    exercises.check_decay(schedule)
    said = capsys.readouterr().out
    assert verdict in said and said.startswith("your schedule: ")


def test_neither_linear_nor_cosine_decay_reaches_what_is_asked_for():
    past, first = np.arange(1000)[:, None], np.geomspace(0.001, 1, 61)
    for shape in 1 - past / 1000, (1 + np.cos(np.pi * past / 1000)) / 2:
        z = theory.distance_under_schedule(shape * first, 1.0, 1.0, 1.0)[-1]
        assert z.min() / 2 > 6e-4
