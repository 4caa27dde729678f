"""Chapter 18, weight decay: closed forms against runs of Adam with L2, AdamW and the paper's AdamW."""

import numpy as np
import pytest

from descent import adam, adam_l2, adamw, run, theory
from descent.exercises import check_resting_places, check_whose_decay
from descent.network import Network, train
from descent.recorded.data import digits, split, sweeps


def adamw_paper(state, g, *, alpha=0.001, eta=1.0, weight_decay=0.01):
    after = adam(state, g, alpha=alpha, eps=0.0)
    quotient = (state.theta - after.theta) / alpha
    return after._replace(theta=theory.adamw_of_the_paper(
        state.theta, quotient, eta, alpha, weight_decay))


def kept(rule, G, t=4000, alpha=0.002, lam=0.01):
    swing = G * np.where(np.arange(t) % 2, -1, 1)[:, None]
    return run(rule, theta0=[1.0], gradients=swing, alpha=alpha,
               weight_decay=lam).theta[-1, 0]


# ---- the paper's rule, and the frameworks' ---------------------------------


@pytest.mark.equation("18.1")
def test_the_step_of_the_paper_done_by_hand():
    step = theory.adamw_of_the_paper(2.0, -1.0, 0.5, 0.1, 0.01)
    assert step == pytest.approx(2.0 - 0.5 * (-0.1 + 0.02))


@pytest.mark.equation("18.1", "18.5")
@pytest.mark.parametrize("alpha", [0.001, 0.03])
def test_the_papers_rule_is_the_frameworks_with_lambda_over_alpha(alpha):
    g = np.random.default_rng(0).standard_normal((300, 4))
    start, lam = np.linspace(-2, 2, 4), 1e-3
    paper = run(adamw_paper, theta0=start, gradients=g, alpha=alpha,
                weight_decay=lam)
    ours = run(adamw, theta0=start, gradients=g, alpha=alpha, eps=0.0,
               weight_decay=theory.carried_decay(lam, alpha))
    np.testing.assert_allclose(paper.theta, ours.theta, rtol=1e-12)


@pytest.mark.equation("18.5")
@pytest.mark.parametrize("alpha", [0.001, 0.03])
def test_a_schedule_multiplies_both_and_the_carried_lambda_stays(alpha):
    g = np.random.default_rng(1).standard_normal((200, 3))
    paper = run(adamw_paper, theta0=np.ones(3), gradients=g, alpha=alpha,
                eta=lambda t: 1 / t, weight_decay=1e-3)
    ours = run(adamw, theta0=np.ones(3), gradients=g, eps=0.0,
               alpha=lambda t: alpha / t,
               weight_decay=theory.carried_decay(1e-3, alpha))
    np.testing.assert_allclose(paper.theta, ours.theta, rtol=1e-12)


# ---- what is left ----------------------------------------------------------


@pytest.mark.equation("18.2")
@pytest.mark.parametrize("G", [0.2, 1.0, 10.0])
def test_an_l2_penalty_in_adam_decays_by_lambda_over_the_gradient(G):
    predicted = theory.kept_with_l2(4000, 0.002, 0.01, G)
    assert kept(adam_l2, G) == pytest.approx(predicted, abs=0.004)


@pytest.mark.equation("18.2")
def test_the_l2_formula_at_a_number_done_by_hand():
    assert theory.kept_with_l2(2, 0.5, 0.4, 0.8) == pytest.approx(0.75**2)


@pytest.mark.equation("18.3")
@pytest.mark.parametrize("G", [0.2, 1.0, 10.0])
def test_adamw_decays_alike_for_every_size_of_gradient(G):
    predicted = theory.kept_with_adamw(4000, 0.002, 0.01)
    assert kept(adamw, G) == pytest.approx(predicted, abs=0.004)


@pytest.mark.equation("18.3")
def test_the_adamw_formula_at_a_number_done_by_hand():
    assert theory.kept_with_adamw(3, 0.5, 0.5) == pytest.approx(0.75**3)


@pytest.mark.equation("18.4")
@pytest.mark.parametrize("alpha", [0.0002, 0.002])
def test_the_papers_decay_does_not_depend_on_the_rate(alpha):
    predicted = theory.kept_with_the_paper(2000, 0.001)
    left = kept(adamw_paper, 1.0, t=2000, alpha=alpha, lam=0.001)
    assert left == pytest.approx(predicted, abs=0.004)
    assert theory.kept_with_the_paper(3, 0.25) == pytest.approx(0.75**3)


# ---- where it rests --------------------------------------------------------


@pytest.mark.equation("18.6")
@pytest.mark.parametrize("g", [0.002, -0.01])
def test_with_l2_a_weight_rests_where_loss_and_penalty_balance(g):
    rest = run(adam_l2, theta0=[0.0], grad=lambda theta: g + 0 * theta,
               steps=6000, alpha=0.01, weight_decay=0.05, eps=0.0).theta[-1]
    assert rest == pytest.approx(theory.rest_with_l2(g, 0.05), rel=1e-6)


@pytest.mark.equation("18.7")
@pytest.mark.parametrize("g", [0.002, -2.0])
def test_with_adamw_it_rests_at_one_over_lambda(g):
    rest = run(adamw, theta0=[0.0], grad=lambda theta: g + 0 * theta,
               steps=6000, alpha=0.1, weight_decay=0.5, eps=0.0).theta[-1]
    assert rest == pytest.approx(theory.rest_with_adamw(g, 0.5), rel=1e-6)


# ---- an average that forgets ------------------------------------------------


@pytest.mark.equation("18.8")
@pytest.mark.parametrize("alpha, lam", [(0.01, 0.3), (0.2, 2.0)])
def test_a_step_of_adamw_is_an_average_of_the_weight_and_its_step(alpha, lam):
    g = np.random.default_rng(2).standard_normal((50, 3))
    path = run(adamw, theta0=np.ones(3), gradients=g, alpha=alpha, eps=0.0,
               weight_decay=lam)
    plain = run(adam, theta0=np.ones(3), gradients=g, alpha=1.0, eps=0.0)
    u = plain.theta[:-1] - plain.theta[1:]
    np.testing.assert_allclose(
        theory.averaged_step(path.theta[:-1], u, alpha, lam), path.theta[1:],
        rtol=1e-9, atol=1e-12)


@pytest.mark.equation("18.9")
@pytest.mark.parametrize("size", [0.1, 10.0])
def test_noise_scatters_a_weight_by_the_quotient_of_rate_and_decay(size):
    alpha, lam = 0.008, 0.4
    noise = size * np.random.default_rng(3).standard_normal((3000, 2000))
    last = run(adamw, theta0=np.zeros(2000), gradients=noise, alpha=alpha,
               weight_decay=lam, record=3000).theta[-1]
    rms = np.sqrt((last**2).mean())  # its own luck: 1/√4000 = 1.6 %
    assert rms == pytest.approx(theory.scatter(alpha, lam), rel=0.06)
    assert theory.scatter(0.02, 0.04) == pytest.approx(0.5)


# ---- the checks of the exercises -------------------------------------------


def whose(program, n=1):
    left = program([0.0] * n, alpha=0.1, weight_decay=0.01)[n]
    kept = {"L2": 0.9, "AdamW": 0.999**n, "paper": 0.99**n}
    return min(kept, key=lambda name: abs(kept[name] - left))


def late(program):
    return whose(program, 8) if whose(program) != "L2" else "L2"


@pytest.mark.parametrize("check, answer, said", [
    (check_resting_places, (-0.04, -20, -0.2), "correct"),
    (check_resting_places, (-20, -0.04, -0.2), "exchanged"),
    (check_resting_places, (0.04, 20, 0.2), "signs"),
    (check_resting_places, (-0.04, -20, -20), "not multiplied"),
    (check_whose_decay, whose, "correct"),
    (check_whose_decay, late, "its rate falls"),
    (check_whose_decay, lambda program: "paper", 'is "L2"'),
    (check_whose_decay, lambda program: program(), "raised TypeError"),
    (check_whose_decay, "paper", "must be a function"),
])
def test_a_check_accepts_what_is_right_and_names_the_slip(
        check, answer, said, capsys):
    check(answer)
    assert said in capsys.readouterr().out


# ---- the record of the digits -------------------------------------------------


@pytest.mark.parametrize("rule, seed", [("adamw", 1007), ("adam_l2", 2100)])
def test_the_recorded_decays_are_what_training_gives(rule, seed):
    record = sweeps()
    which, row = record["decay_rule"].tolist().index(rule), record["decay_seed"].tolist().index(seed)
    (X, y), (X_val, y_val), _ = split(*digits())
    pool, labels = np.concatenate([X, X_val]) / 16, np.concatenate([y, y_val])
    order = np.random.default_rng(seed).permutation(len(labels))
    one, two = order[:len(y)], order[len(y):]
    lam = record["decay_weight_decay"][which]
    network = Network()
    loss = train(network, {"adamw": adamw, "adam_l2": adam_l2}[rule], network.init(seed), pool[one], labels[one],
                 seed=seed, alpha=0.024, weight_decay=lam[:, None],
                 validation=(pool[two], labels[two])).validation_loss[-1]
    # four digits are kept; large decays are steep in rounding
    np.testing.assert_allclose(record["decay_validation_loss"][which, row, :3], loss[:3], rtol=2e-2)


def test_both_decays_help_and_too_much_harms():
    record = sweeps()
    loss, judges = np.log(record["decay_validation_loss"]), record["decay_seed"] >= 2000
    gain = loss[:, judges] - loss[0, judges, :1]
    half = theory.t_factor(360, 0.05 / 8) * gain.std(1, ddof=1) / 360**0.5
    shown = gain.mean(1) + half < 0
    assert shown.tolist() == [[False, False, True, False, False], [False, True, True, True, False]]
    assert (gain.mean(1) - half > 0).tolist() == [[False, False, False, True, True], [False] * 5]
