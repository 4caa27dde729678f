"""Chapter 16: its closed forms against integrals and wide networks, its record against trainings."""

import numpy as np
import pytest
from scipy import integrate, stats

from descent import exercises, rmsprop, theory
from descent.network import Network
from descent.recorded import depth as recorded
from descent.rules import State, gradient_descent

ROUNDING = 1e-10


def close(measured, predicted, rel=ROUNDING):
    assert measured == pytest.approx(predicted, rel=rel)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(z):
    return sigmoid(z) * (1 - sigmoid(z))


def normal_mean(f, q):
    """E[f(z)] for normal z of variance q, by adaptive quadrature."""
    if q == 0:
        return f(0.0)
    density = stats.norm(scale=np.sqrt(q)).pdf
    return integrate.quad(lambda z: f(z) * density(z), -60, 60, points=[0],
                          limit=200, epsabs=1e-13)[0]


# ---- the factor -----------------------------------------------------------


@pytest.mark.equation("16.1")
@pytest.mark.parametrize("q", [0.0, 0.5, 40.0])
@pytest.mark.parametrize("weight_variance", [2.0, 7.0])
def test_layer_factor_is_the_root_mean_square_slope(q, weight_variance):
    close(theory.layer_factor(q, weight_variance),
          np.sqrt(weight_variance * normal_mean(lambda z: slope(z)**2, q)),
          1e-8)


@pytest.mark.equation("16.2")
@pytest.mark.parametrize("q", [0.0, 0.5, 40.0])
@pytest.mark.parametrize("weight_variance", [2.0, 7.0])
def test_input_variance_is_the_mean_square_of_the_layer_below(
        q, weight_variance):
    close(theory.input_variance(q, weight_variance),
          weight_variance * normal_mean(lambda z: sigmoid(z)**2, q), 1e-8)


@pytest.mark.equation("16.2")
def test_settled_variance_is_a_fixed_point():
    for weight_variance in (0.5, 2.0, 128.0):
        q = theory.settled_variance(weight_variance)
        close(theory.input_variance(q, weight_variance), q, 1e-9)


@pytest.mark.equation("16.1")
def test_no_sigmoid_keeps_more_than_a_quarter_of_its_weights():
    for weight_variance in (1.0, 2.0, 32.0):
        q = theory.settled_variance(weight_variance)
        factor = theory.layer_factor(q, weight_variance)
        assert factor < np.sqrt(weight_variance) / 4


@pytest.mark.equation("16.1", "16.2")
def test_variance_and_factor_are_measured_in_a_wide_network():
    q = theory.settled_variance()
    network = Network((64, *[200] * 6, 10), "sigmoid")
    images = np.random.default_rng(0).uniform(size=(2, 64))
    images[1] = images[0] + 1e-3 * images[1]
    theta = network.init(np.arange(10))
    *h, _ = network._forward(theta, images)
    z = np.log(h[5] / (1 - h[5]))
    assert np.mean(z**2) == pytest.approx(q, rel=0.1)
    before, after = (np.std(x, axis=-2) for x in h[5:7])
    shrunk = np.sqrt(np.mean(after**2) / np.mean(before**2))
    assert shrunk == pytest.approx(theory.layer_factor(q), rel=0.1)
    up = [np.sqrt((W**2).mean()) for W, _ in network.layers(
        network.grad(theta, images, np.array([1, 2])))]
    assert (up[1] / up[5]) ** 0.25 == pytest.approx(theory.layer_factor(q),
                                                    rel=0.1)


@pytest.mark.equation("16.3")
def test_signal_to_noise_falls_by_the_factor_at_each_layer():
    for k in (1, 2, 5):
        expected = 0.7 * np.prod([0.3] * (k - 1))
        close(theory.signal_to_noise(k, 0.3, first=0.7), expected)


def test_on_a_plateau_of_training_the_error_of_the_frequencies_raises_the_ratio_until_it_is_balanced():
    X, y = recorded.examples()
    theta = recorded.start(np.arange(10))
    orders = np.array([recorded.order(seed, False, 10).ravel() for seed in range(10)])
    for chosen in np.split(orders, recorded.steps(10), axis=1):
        theta = theta - 0.1 * recorded.NETWORK.grad(theta, X[chosen], y[chosen])
    batches = recorded.order(0, False, 3).reshape(-1, recorded.BATCH)

    def ratio():  # of layer 8
        signal = recorded.layer_sizes(recorded.NETWORK.grad(theta, X, y))
        draws = np.array([recorded.NETWORK.grad(theta, X[i], y[i]) for i in batches])
        return np.exp(np.log(signal / recorded.layer_sizes(draws.std(0))).mean(0))[7]

    assert 0.05 < ratio() < 0.2
    h = X
    for W, b in recorded.NETWORK.layers(theta)[:-1]:
        h = sigmoid(h @ W + b[:, None])
    W, b = recorded.NETWORK.layers(theta)[-1]
    b[...] = -(h @ W).mean(-2)
    assert ratio() == pytest.approx(2.4e-4, rel=0.1)


def test_after_an_epoch_of_adam_the_ratio_is_about_a_half_until_the_classes_are_balanced(record):
    X, y = recorded.examples()
    rule, *_ = recorded.ARMS["Adam"]
    state = State(recorded.start(np.arange(300, 308)))
    epoch = np.array([recorded.order(seed, False, 1)[0] for seed in range(300, 308)])
    rate = record["chosen"][record["arm"].tolist().index("Adam")]
    for i in np.split(epoch, recorded.steps(1), axis=1):
        state = rule(state, recorded.NETWORK.grad(state.theta, X[i], y[i]), alpha=rate)
    batches = recorded.order(0, False, 3).reshape(-1, recorded.BATCH)

    def ratio(theta):
        signal = recorded.NETWORK.grad(theta, X, y)
        draws = np.array([recorded.NETWORK.grad(theta, X[i], y[i]) for i in batches])
        return np.array(sizes(signal)) / sizes(draws.std(0))

    assert ratio(state.theta)[3:8] == pytest.approx(0.5, abs=0.15)
    theta, h = state.theta.copy(), X
    for W, b in recorded.NETWORK.layers(theta)[:-1]:
        h = sigmoid(h @ W + b[:, None])
    W, b = recorded.NETWORK.layers(theta)[-1]
    b[...] = -(h @ W).mean(-2)
    balanced = ratio(theta)
    assert balanced[7] < 2e-3
    assert (balanced[7] / balanced[3]) ** (1 / 4) == pytest.approx(theory.layer_factor(theory.settled_variance()), rel=0.2)


def test_the_slopes_are_nearly_alike_but_the_deltas_of_the_images_cancel():
    X, y = recorded.examples()
    theta = recorded.start(np.arange(20))
    *h, z = recorded.NETWORK._forward(theta, X)
    p = np.exp(z - z.max(-1, keepdims=True))
    delta = p / p.sum(-1, keepdims=True) - np.eye(10)[y]
    for k in range(8, 0, -1):
        slope = h[k] * (1 - h[k])
        assert np.sqrt(slope.var(-2).mean() / (slope**2).mean()) < 0.1
        delta = slope * (delta @ recorded.NETWORK.layers(theta)[k][0].swapaxes(-1, -2))
        assert 0.05 < (delta.mean(-2)**2).mean() / (delta**2).mean() < 0.1


def test_at_its_own_best_rate_the_cap_does_not_end_all_relapses(record):
    i = record["arm"].tolist().index("a rate per layer, 1 to 3 capped")
    left = record["loss"][i] < np.log(10) - 0.1
    leaves = (left[:, 1:] & ~left[:, :-1]).sum(1)
    assert (leaves > 1).sum() == 7 and leaves.max() == 8 and left[:, -1].all()


def test_the_slope_of_a_sigmoid_squared_has_the_integral_one_sixth():
    close(integrate.quad(lambda z: slope(z)**2, -40, 40, points=[0])[0], 1 / 6,
          1e-8)


# ---- the arms -------------------------------------------------------------


def sizes(g):
    return [float(np.sqrt((W**2).mean()))
            for W, _ in recorded.NETWORK.layers(g)]


def test_a_rate_per_layer_makes_the_first_steps_alike():
    X, y = recorded.examples()
    theta = recorded.start(np.arange(20))
    g = recorded.NETWORK.grad(theta, X[::5], y[::5])
    step = recorded.rate_per_layer(State(theta), g, alpha=1.0).theta - theta
    plain = gradient_descent(State(theta), g, alpha=1.0).theta - theta
    assert max(sizes(step)[:8]) < 2 * min(sizes(step)[:8])
    assert max(sizes(plain)[:8]) > 1000 * min(sizes(plain)[:8])


def test_a_divisor_per_layer_is_rmsprop_where_all_squares_are_alike():
    theta = np.zeros((2, recorded.NETWORK.size))
    g = np.random.default_rng(0).choice([-3.0, 3.0], theta.shape)
    state, other = State(theta), State(theta)
    for _ in range(3):
        state = recorded.divisor_per_layer(state, g, alpha=0.1)
        other = rmsprop(other, g, alpha=0.1, eps=1e-12)
    close(state.theta, other.theta)


def test_a_cap_cuts_the_gradient_of_its_layers_to_three_times_the_first_epochs():
    rng, n = np.random.default_rng(0), recorded.steps(1)
    state = other = State(np.zeros((2, recorded.NETWORK.size)))
    for t in range(1, n + 1):   # in the first epoch nothing is cut, however large
        g = rng.choice([-1.0, 1.0], state.theta.shape) * (2.0 if t % 2 else 1.0)
        state = recorded.capped(state, g, alpha=0.1, layers=(1, 3))
        other = recorded.rate_per_layer(other, g, alpha=0.1)
    assert (state.theta == other.theta).all()
    limit = 3 * np.sqrt((4 + 1) / 2)   # of a size that was 2 and 1 by turns
    for size in (0.5, 4.0, 50.0):
        step = recorded.capped(state, np.full_like(g, size), alpha=0.1, layers=(1, 3))
        whole = recorded.rate_per_layer(other, np.full_like(g, size), alpha=0.1)
        assert (step.v == state.v).all()
        kept = [(W / V).mean() for (W, _), (V, _) in zip(
            recorded.NETWORK.layers(step.theta - state.theta),
            recorded.NETWORK.layers(whole.theta - other.theta))]
        least = min(1, limit / size)
        close(kept, [least, 1, least] + 6 * [1], 1e-6)


def test_descent_after_a_divisor_is_the_divisor_and_then_gradient_descent():
    rng = np.random.default_rng(0)
    state = follows = State(np.zeros((1, recorded.NETWORK.size)))
    for _ in range(recorded.steps(2)):
        g = rng.standard_normal(state.theta.shape)
        state = recorded.then_descent(state, g, alpha=7.0, epochs=2, before=0.1)
        follows = recorded.divisor_per_layer(follows, g, alpha=0.1)
    assert (state.theta == follows.theta).all()
    step = recorded.then_descent(state, g, alpha=7.0, epochs=2, before=0.1)
    close(step.theta, state.theta - 7 * g)


def test_dealt_minibatches_hold_five_of_each_class_and_every_example_once():
    _, y = recorded.examples()
    for dealt in (True, False):
        orders = recorded.order(3, dealt, 2)
        assert (np.sort(orders) == np.arange(len(y))).all()
        counts = [np.bincount(y[i], minlength=10)
                  for i in orders.reshape(-1, recorded.BATCH)]
        assert (np.array(counts) == 5).all() == dealt


# ---- the record -----------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    return recorded.depth()


def test_record_has_the_shapes_that_its_docstring_names(record):
    arms, epochs = len(recorded.ARMS), recorded.EPOCHS + 1
    assert record["arm"].tolist() == list(recorded.ARMS)
    assert np.allclose(record["rate"], recorded.RATES, rtol=1e-12)
    assert record["tuning"].shape == (arms, 7, 10)
    assert record["loss"].shape == (arms, 20, epochs)
    assert record["accuracy"].shape == (arms, 20)
    assert record["descent_fresh"].shape == (7, 20)
    assert record["sizes"].shape == (20, epochs - 1, 9)
    assert record["slow"].shape == (8, recorded.LONG + 1)
    assert record["slow_growth"].shape == (8,)
    assert record["capped"].shape == (2, 20, epochs)
    assert record["capped_sizes"].shape == (2, 20, epochs - 1, 9)


def test_each_arm_has_the_rate_with_the_lowest_mean_log_loss(record):
    best = np.log(record["tuning"]).mean(-1).argmin(-1)
    assert np.array_equal(record["chosen"], np.take_along_axis(
        record["rate"], best[:, None], 1)[:, 0])
    assert ((best[1:] > 0) & (best[1:] < 6)).all()  # inside the grid


@pytest.mark.parametrize("arm", recorded.ARMS)
def test_the_record_is_what_training_gives(record, arm):
    i = list(recorded.ARMS).index(arm)
    curve, _ = recorded.trained(arm, recorded.FRESH[:2], record["chosen"][i], 2)
    assert record["loss"][i, :2, :3] == pytest.approx(curve.T, rel=1e-3)


def test_the_recorded_sizes_are_those_of_a_run_with_a_rate_per_layer(record):
    steps, i = [], list(recorded.ARMS).index("a rate per layer")
    recorded.trained("a rate per layer", recorded.FRESH[:2],
                     record["chosen"][i], 1, watch=lambda g: steps.append(
                         recorded.layer_sizes(g)))
    assert record["sizes"][:2, 0] == pytest.approx(np.mean(steps, 0), rel=1e-3)


@pytest.mark.parametrize("cap", [0, 1])
def test_the_capped_runs_are_at_the_rate_that_a_rate_per_layer_chose(record, cap):
    sizes, i = [], list(recorded.ARMS).index("a rate per layer")
    curve, _ = recorded.trained(recorded.CAPS[cap], recorded.FRESH[:2], record["chosen"][i], 2,
                                watch=lambda g: sizes.append(recorded.layer_sizes(g)))
    assert record["capped"][cap, :2, :3] == pytest.approx(curve.T, rel=1e-3)
    means = np.reshape(sizes, (2, -1, 2, 9)).mean(1).swapaxes(0, 1)
    assert record["capped_sizes"][cap, :2, :2] == pytest.approx(means, rel=1e-3)
    assert record["capped"][cap, :, :2] == pytest.approx(record["loss"][i, :, :2], rel=1e-3)  # before any cap


def test_capped_below_no_run_is_thrown_back_and_capped_above_all_are_or_never_leave(record):
    left = record["capped"] < np.log(10) - 0.1
    leaves = (left[..., 1:] & ~left[..., :-1]).sum(-1)
    assert (leaves[0] == 1).all() and left[0, :, -1].all()
    assert leaves[1].min() > 1 and left[1, :, -1].sum() == 5


def test_runs_leave_chance_when_the_first_gradient_has_grown_a_hundredfold(record):
    first = (record["loss"][1] < np.log(10) - 0.1).argmax(1)
    sizes = record["sizes"][..., 0]
    grown = sizes[np.arange(20), first - 1] / sizes[:, 0]
    assert 48 < grown.min() and grown.max() < 192 and 95 < np.median(grown) < 105


def test_descent_goes_on_from_the_weights_of_the_divisor_frozen_later(record):
    names = record["arm"].tolist()
    i, frozen = names.index("a divisor, then descent"), names.index("a divisor, frozen later")
    assert recorded.ARMS[names[i]][0].keywords == {
        "epochs": recorded.ARMS[names[frozen]][0].keywords["epochs"],
        "before": pytest.approx(record["chosen"][frozen])}
    assert record["loss"][i, :, :11] == pytest.approx(record["loss"][frozen, :, :11], rel=1e-3)


def test_the_slow_runs_are_at_a_third_of_the_rate(record):
    i = list(recorded.ARMS).index("a rate per layer")
    assert record["chosen"][i] / record["rate"][i, 1] == pytest.approx(3.16, 1e-3)
    curve, _ = recorded.trained("a rate per layer", recorded.FRESH[:2],
                                record["rate"][i, 1], 2)
    assert record["slow"][:2, :3] == pytest.approx(curve.T, rel=1e-3)


def test_a_third_of_the_rate_trains_but_late_and_with_relapses(record):
    left = record["slow"] < np.log(10) - 0.1
    assert 70 < left.argmax(1).min() and left[:, -1].all()
    assert left[:, 121:].mean() > 0.9 and record["slow_growth"].min() > 400
    falls = (left[:, :-1] & ~left[:, 1:]).sum(1)
    assert falls.min() == 2 and falls.max() == 11
    fast = record["loss"][1] < np.log(10) - 0.1  # at the chosen rate
    assert fast.any(1).all() and fast[:, -1].sum() == 3
    assert (fast[:, 1:] & ~fast[:, :-1]).sum(1).tolist().count(1) == 1


def test_a_frozen_divisor_is_frozen_before_or_after_the_growth(record):
    steps = {}
    for arm, epochs in (("a divisor, frozen", 2), ("a divisor, frozen later", 10)):
        i, firsts = list(recorded.ARMS).index(arm), []
        recorded.trained(arm, recorded.FRESH, record["chosen"][i], epochs,
                         watch=lambda g: firsts.append(recorded.layer_sizes(g)[:, 0]))
        mean = np.array(firsts).reshape(epochs, -1, 20).mean(1)
        steps[epochs] = mean[-1] / mean[0]
    assert steps[2].max() < 1
    assert 890 < steps[10].min() and steps[10].max() < 4250


def test_a_frozen_divisor_is_the_following_one_until_it_freezes():
    theta = np.zeros((1, recorded.NETWORK.size))
    rng = np.random.default_rng(0)
    cold = warm = State(theta)
    for t in range(1, 21):  # 18 minibatches make the one epoch
        g = rng.standard_normal(theta.shape)
        cold = recorded.frozen_divisor(cold, g, alpha=0.1, epochs=1)
        warm = recorded.divisor_per_layer(warm, g, alpha=0.1)
        assert (cold.v == warm.v).all() == (t <= 18)


def test_frozen_early_a_divisor_stays_at_chance_at_the_rate_of_the_late_one_too(record):
    names, rates = record["arm"].tolist(), record["rate"]
    early, late = names.index("a divisor, frozen"), names.index("a divisor, frozen later")
    k = np.flatnonzero(np.isclose(rates[early], record["chosen"][late])).item()
    assert np.log(record["tuning"][early, k]).mean() == pytest.approx(0.83, abs=0.005)


def test_large_weights_pass_the_gradient_of_one_image_but_not_the_mean_of_all():
    X, y = recorded.examples()
    network, seeds = Network((64, *[32] * 8, 10), "sigmoid"), np.arange(10)
    theta = network.init(seeds)
    for W, _ in network.layers(theta)[:-1]:
        W *= np.sqrt(96 / 2)

    def kept(X, y):   # from layer 8 to layer 1
        sizes = [np.sqrt((W**2).mean()) for W, _ in network.layers(network.grad(theta, X, y))]
        return sizes[0] / sizes[7]

    one = np.exp(np.mean([np.log(kept(X[i:i + 1], y[i:i + 1])) for i in range(20)]))
    assert 0.5 < one < 2 and 0.2 < kept(X, y) < 0.3


# ---- exercises ------------------------------------------------------------


def test_weights_of_variance_32_give_what_the_exercise_says():
    for variance, says in ((2, 2.3), (32, 0.8)):
        loss, _ = recorded.trained("gradient descent", np.arange(200, 208), 1.0,
                                   20, weight_variance=variance)
        assert np.exp(np.log(loss[-10:]).mean()) == pytest.approx(says, abs=0.1)   # the last bits decide more than 0.05


@pytest.mark.parametrize("check, answer, words", [
    (exercises.check_eps_in_depth, (14, 4490), "correct"),
    (exercises.check_eps_in_depth, (14, 1.0), "far below"),
    (exercises.check_eps_in_depth, (14, 14110), "20 factors"),
    (exercises.check_critical_weights, (113.1, 103), "correct"),
    (exercises.check_critical_weights, (103.0, 113.1), "comes first"),
    (exercises.check_critical_weights, (10.63, 10.15), "σ_w"),
    (exercises.check_plain_descent_in_depth, (96, 1.0), "correct"),
    (exercises.check_plain_descent_in_depth, (2, 1.0), "leave 0.0001"),
    (exercises.check_plain_descent_in_depth, (96, 1e-3), "other rates"),
    (exercises.check_plain_descent_in_depth, "many", "two numbers"),
    (exercises.check_plain_descent_in_depth, (-1, 1), "positive"),
    (exercises.check_plain_descent_in_depth, None, "not done yet")])
def test_checks_tell_right_from_wrong(capsys, check, answer, words):
    check(answer)
    assert words in capsys.readouterr().out
