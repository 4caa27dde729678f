"""The recorded transformer: its tables, and, with PyTorch, its scripts in miniature."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from descent import (
    State, adam, adamw, gradient_descent, momentum, rmsprop, rmsprop_centered,
    run, sign_descent, theory)
from descent.recorded import transformer
from descent.recorded.transformer import select

ROOM = Path(__file__).parents[1] / "experiments" / "transformer"
MODULES = ("corpus", "optimizers", "settings", "tables", "train")
GROUPS = range(1, 12)


@pytest.fixture
def room(monkeypatch):
    """A function that imports a script of the room; it leaves no module behind."""
    monkeypatch.syspath_prepend(str(ROOM))
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


# ---- the tables -----------------------------------------------------------


def test_the_tables_are_made_of_the_recorded_runs(room):
    made = room("tables").tables(ROOM / "recorded")
    with np.load(transformer.FILE) as stored:
        assert set(stored) == set(made)
        for name, table in made.items():
            assert stored[name].dtype == table.dtype, name
            for field in table.dtype.names or [()]:
                np.testing.assert_array_equal(stored[name][field], table[field])
    assert transformer.FILE.stat().st_size < 200_000


def test_the_file_says_where_the_runs_come_from():
    with np.load(transformer.FILE) as stored:
        assert "H100" in str(stored["source"]) and "CPython" in str(stored["source"])


def test_a_missing_file_is_reported_with_path_and_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(transformer, "FILE", tmp_path / "transformer.npz")
    with pytest.raises(FileNotFoundError, match="tables.py") as caught:
        transformer.cost()
    assert str(tmp_path) in str(caught.value)


def test_a_run_is_the_same_in_every_table():
    along = transformer.curves()
    assert along.val_steps[[3, 5]].tolist() == [400, 600]
    tables = [(transformer.bias_correction(), 5), (transformer.comparison(), 5),
              (transformer.decay_rates(), 3)]
    for table, last in tables:
        np.testing.assert_allclose(along.val[table["run"], last], table["val_loss"],
                                   rtol=1e-6, equal_nan=True)
    assert set(np.concatenate([table["run"] for table, _ in tables])) == set(range(601))


def test_groups_add_up_to_the_loss_of_their_run():
    for row in select(transformer.comparison(), best_lr=True):
        parts = select(transformer.frequency_groups(), run=row["run"], split="val")
        assert parts["group"].tolist() == list(GROUPS)
        # shares are rounded to four digits, losses to five
        assert (parts["target_share"] * parts["loss"]).sum() == pytest.approx(
            row["val_loss"], abs=2e-3)


def test_every_optimizer_had_eight_rates_and_its_best_is_the_lowest():
    runs = transformer.comparison()
    for name in set(runs["optimizer"].tolist()):
        for warmup in (0, 100):
            mine = select(runs, optimizer=name, warmup=warmup)
            tuned = mine[mine["stage"] != "more seeds"]
            assert len(tuned) == 8 and (tuned["seed"] == 0).all()
            best = tuned[np.nanargmin(tuned["val_loss"])]
            assert best["best_lr"]
            again = select(mine, stage="more seeds")
            assert again["seed"].tolist() == [1, 2]
            assert (again["lr"] == best["lr"]).all()


def test_select_names_the_field_that_is_missing():
    with pytest.raises(ValueError, match="no field 'beta'; the table has run, beta1"):
        select(transformer.decay_rates(), beta=0.9)


# ---- the scripts that need no PyTorch -------------------------------------


def test_the_corpus_is_cut_without_loss(room):
    token = room("corpus").TOKEN
    text = "def f(x):\n    return 0xff + x  # ½ \t\r\n\n"
    assert "".join(token.findall(text)) == text
    assert token.findall("a = 10\n  b") == ["a", " ", "=", " ", "10", "\n  ", "b"]


def test_frequency_groups_have_equal_shares_of_what_is_left(room):
    group = room("corpus").frequency_groups(np.array([50] + [5] * 18 + [77]))
    assert np.bincount(group).tolist() == [1] + [2] * 9 + [1]
    assert group[0] == 0 and group[-1] == 10


def test_evaluation_windows_are_evenly_spaced_and_inside(room):
    at = room("corpus").evaluation_windows(182_593, 704, 256)
    assert at.shape == (704, 257) and at[0, 0] == 0 and at[-1, -1] == 182_592
    assert set(np.diff(at[:, 0])) == {259, 260} or np.ptp(np.diff(at[:, 0])) <= 1


def test_the_rates_are_half_decades(room):
    rate = room("settings").rate
    assert [rate(k) for k in (-9, -6, -5, -5.5)] == [3e-5, 1e-3, 3e-3, 1.7e-3]


# ---- with PyTorch ---------------------------------------------------------

CASES = {   # rule of the runs, its options, and the same in `descent`
    "sgd": ("sgd", {}, gradient_descent, {}),
    "momentum": ("momentum", dict(b1=0.9), momentum, dict(mu=0.9)),
    "rmsprop": ("rmsprop", dict(b2=0.99), rmsprop, dict(beta2=0.99)),
    "centered": ("centered", dict(b2=0.99), rmsprop_centered, dict(beta2=0.99)),
    "adam": ("adam", dict(b1=0.9, b2=0.999, correction="both"), adam, {}),
    "uncorrected": ("adam", dict(b1=0.9, b2=0.999), adam, dict(correct="none")),
    "first only": ("adam", dict(b1=0.9, b2=0.95, correction="m"), adam,
                   dict(beta2=0.95, correct="first")),
    "adamw": ("adam", dict(b1=0.9, b2=0.999, correction="both", wd=0.1), adamw,
              dict(weight_decay=0.1)),
}


def path_of(room, rule, gradients, **options):
    """Where a rule of the runs goes on given gradients, in float64."""
    torch = pytest.importorskip("torch", reason="the miniature needs PyTorch: "
                                "pip install 'descent[transformer]'")
    optimizers = room("optimizers")
    table = optimizers.hyper_table(room("settings").setting(rule, 1e-3, **options),
                                   len(gradients), torch.float64)
    step = optimizers.stepper(optimizers.RULES[rule])
    p, m, v = (torch.zeros(gradients.shape[1], dtype=torch.float64) for _ in range(3))
    path = [p.clone()]
    for g, row in zip(torch.from_numpy(gradients), table):
        step(p, g, m, v, row, 0)
        path.append(p.clone())
    return torch.stack(path).numpy()


def stream(steps=200):
    """Gradients of very different sizes, shape (steps, 5)."""
    rng = np.random.default_rng(14)
    return rng.standard_normal((steps, 5)) * [1e-4, 1e-2, 1, 1e2, 1e4]


def assert_same_path(measured, wanted):
    """To 1e-12 of each coordinate's travel."""
    travel = np.ptp(wanted, axis=0)
    assert (np.abs(measured - wanted) <= 1e-12 * travel).all()


@pytest.mark.parametrize("case", CASES)
def test_the_optimizers_of_the_runs_are_those_of_the_book(room, case):
    rule, options, ours, hyper = CASES[case]
    measured = path_of(room, rule, stream(), **options)
    wanted = run(ours, theta0=np.zeros(5), gradients=stream(), alpha=1e-3, **hyper).theta
    assert_same_path(measured, wanted)


def test_signum_is_sign_descent_on_the_first_moment(room):
    measured = path_of(room, "signum", stream(), b1=0.9)
    m = theory.exponential_average(stream(), 0.9)
    wanted = run(sign_descent, theta0=np.zeros(5), gradients=m, alpha=1e-3).theta
    assert_same_path(measured, wanted)


def test_warm_up_is_a_rate_that_rises_on_a_line(room):
    measured = path_of(room, "adam", stream(), b1=0.9, b2=0.999, correction="both", warmup=100)
    wanted = run(adam, theta0=np.zeros(5), gradients=stream(),
                 alpha=lambda t: 1e-3 * min(1, t / 100)).theta
    assert_same_path(measured, wanted)


def test_the_book_s_rules_follow_a_tiny_transformer(room):
    """Adam on the gradients of a real (small) network in float64: the parameters agree."""
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    train, optimizers = room("train"), room("optimizers")
    torch.manual_seed(0)
    model = train.GPT(50, 8, 8, 1, 2).double()
    params = list(model.parameters())
    p = torch.cat([w.detach().flatten() for w in params])
    for w, part in zip(params, p.split([w.numel() for w in params])):
        w.data = part.view_as(w)
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    state = State(theta=p.numpy().copy())
    table = optimizers.hyper_table(room("settings").setting(
        "adam", 1e-2, 0.9, 0.999, "both"), 20, torch.float64)
    step = optimizers.stepper(optimizers.adam)
    for row in table:
        xy = torch.randint(50, (4, 9))
        loss = train.token_losses(model, xy[:, :-1].contiguous(), xy[:, 1:].contiguous()).mean()
        g = torch.cat([d.flatten() for d in torch.autograd.grad(loss, params)])
        step(p, g, m, v, row, 0)
        state = adam(state, g.numpy(), alpha=1e-2)
        assert np.abs(p.numpy() - state.theta).max() <= 1e-12


def script(name, *options):
    return subprocess.run([sys.executable, ROOM / name, *map(str, options)],
                          capture_output=True, text=True)


def test_every_phase_runs_in_miniature(room, tmp_path):
    pytest.importorskip("torch", reason="the miniature needs PyTorch: "
                        "pip install 'descent[transformer]'")
    done = script("corpus.py", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    done = script("train.py", "--device", "cpu", "--tiny", "--data", tmp_path, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    checked = [line for line in done.stdout.splitlines() if line.startswith("check")]
    assert len(checked) == 6
    for line in checked:        # float32: ours against torch.optim
        assert float(line.split("largest parameter ")[1].split(",")[0]) < 1e-5, line
    results = [json.loads(line) for line in (tmp_path / "runs_0.jsonl").read_text().splitlines()]
    assert len({r["rule"] for r in results}) >= 4
    assert {r["warmup"] for r in results} == {0, 100}
    for r in results:
        longest = r["updates"][0][3]        # of all coordinates, at the first step, over α
        if r["rule"] == "adam" and r["correction"] == "both":
            assert longest == pytest.approx(1, rel=1e-3)
        if r["rule"] == "adam" and r["correction"] == "none":
            assert longest == pytest.approx(theory.startup_ratio(1, r["b1"], r["b2"]), rel=1e-3)
