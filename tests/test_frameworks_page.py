"""The page about frameworks: its tables, its lines to copy, its form, its exercises.

Every block of the page is read and compared with our rule; where its framework is installed it is also run, in
float64, on a recorded stream. With FRAMEWORKS=required, as in CI, a framework that is missing is a failure.
"""

import ast
import importlib
import inspect
import math
import os
import re

import nbformat
import numpy as np
import pytest
import yaml

import edits
from conftest import ROOT
from descent import adam, exercises, rules, run, translate
from descent.exercises import frameworks
from descent.frameworks import DEFAULTS, NAMES, settings_of
from descent.recorded.paths import distance, recorded

PAGE = ROOT / "chapters" / "frameworks.ipynb"
CELLS = {cell.id: cell for cell in nbformat.read(PAGE, as_version=4).cells}
BAR = 1e-12  # of each coordinate's travel: see test_parity
STREAM = next(case.gradients for case in recorded() if case.problem == "stream")
THETA0 = np.zeros(STREAM.shape[1])
FRAMEWORK = {"PyTorch": "pytorch", "Keras": "keras", "Optax": "optax"}
ADAM = dict(alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8)
RMSPROP = dict(alpha=0.001, beta2=0.9, eps=1e-8)
WANTED = {"fw-rmsprop": ("rmsprop", RMSPROP), "fw-momentum": ("rmsprop_momentum", RMSPROP | {"mu": 0.9}),
          "fw-adam": ("adam", ADAM), "fw-adamw": ("adamw", ADAM | {"weight_decay": 0.01}),
          "fw-amsgrad": ("amsgrad", ADAM | {"maximum": "raw"}),
          "Keras's Adam": ("adam", ADAM | {"eps": lambda t: 1e-7 / np.sqrt(1 - 0.999**t)}),
          "PyTorch's AMSGrad": ("amsgrad", ADAM | {"maximum": "raw"}),
          "PyTorch's momentum": ("rmsprop_momentum", RMSPROP | {"mu": 0.9})}


def blocks():
    for name, cell in CELLS.items():
        for number, text in enumerate(re.findall(r"```python\n(.*?)```", cell.source, re.S)):
            framework, note = re.match(r"# (\w+)(?:, (.*))?\n", text).groups()
            wanted = note.removeprefix("exactly ") if note and note.startswith("exactly") else name
            near = bool(note) and note.startswith("near")
            yield pytest.param(FRAMEWORK[framework], text, WANTED[wanted], near, id=f"{name}-{framework}-{number}")


def start(wanted):
    """Where weights decay, at different distances from 0, no farther than they travel; else at 0: θ is rounded to its size."""
    return np.linspace(-0.1, 0.2, len(THETA0)) if "weight_decay" in wanted[1] else THETA0


def ours(rule, hyper, theta0):
    return run(getattr(rules, rule), theta0=theta0, gradients=STREAM, **hyper).theta


# ---- the tables -----------------------------------------------------------


def rows(cell, head):
    """The rows of the table whose first head is this, as lists of cells."""
    table = re.search(rf"^\| ?{head} \|(?:.*\n)+?(?=\n|\Z)", CELLS[cell].source, re.M)[0]
    lines = [[part.strip() for part in line.split("|")[1:-1]] for line in table.splitlines()]
    return [lines[0], *lines[2:]]


@pytest.mark.parametrize("cell, head, columns", [
    ("fw-names", "RMSprop", [("pytorch", "RMSprop"), ("keras", "RMSprop"), ("optax", "rmsprop")]),
    ("fw-names", "Adam", [("pytorch", "Adam"), ("keras", "Adam"), ("optax", "adam")]),
    ("fw-tensorflow", "TF 1", [("tensorflow", "RMSPropOptimizer"), ("tensorflow", "AdamOptimizer")])])
def test_names_and_defaults_of_the_tables_are_the_package_s(cell, head, columns):
    heads, *body = rows(cell, head)
    assert len(heads) == 1 + len(columns)
    for column, (framework, name) in enumerate(columns, 1):
        known, checked = DEFAULTS[framework][name], 0
        assert heads[column] in (NAMES[framework], f"`{name}`")
        for row in body:
            for argument, value in re.findall(r"`([\w\[\]]+)` ?([^\s,]*)", row[column]):
                key, _, index = argument.rstrip("]").partition("[")
                default = known[key][int(index)] if index else known[key]
                wanted = "required" if value == "" else ast.literal_eval(value)
                assert wanted == default and type(wanted) is type(default), (name, argument)
                checked += 1
        assert checked >= (4 if framework == "tensorflow" else 5)
    assert "amsgrad" in DEFAULTS["optax"]


def test_the_decay_of_adamw_in_the_tables_is_the_package_s():
    heads, *body = rows("fw-names", "Adam")
    found, = ([float(x) for x in row[1:]] for row in body if row[0] == "λ in AdamW")
    assert found == [DEFAULTS[framework][name]["weight_decay"] for framework, name in (
        ("pytorch", "AdamW"), ("keras", "AdamW"), ("optax", "adamw"))]


def test_what_differs_behind_equal_names_is_what_translate_reads():
    heads, *body = rows("fw-dictionary", "")
    assert heads[1:] == ["PyTorch", "Keras", "Optax", "TF 1"]
    for column, name in enumerate(("pytorch", "keras", "optax", "tensorflow"), 1):
        said = {row[0]: row[column] for row in body}
        rate = {"lr" if name == "pytorch" else "learning_rate": 0.01}
        rms, first = {"optimizer": "rmsprop"} | rate, {"optimizer": "adam"} | rate

        def here(settings):
            return translate(settings, name, "descent").settings

        sides = {here(rms | more)["eps_inside"] for more in (
            [{"eps_in_sqrt": side} for side in (True, False)] if name == "optax" else [{}])}
        assert said["RMSprop: ε"] == {(True,): "under √", (False,): "beside √"}.get(tuple(sides), "either")
        v0 = here(rms).get("v0", 0)
        assert said["RMSprop: $v_0$"] == ("any" if name == "optax" else f"{v0:g}")
        other = "keras" if name == "pytorch" else "pytorch"
        notes = str(translate(rms | {"momentum": 0.9}, name, other).notes)
        inside = re.search(r"(\S+(?: 1)?) keeps the rate inside", notes)[1]
        assert said["its momentum: α in the buffer"] == ("no" if name == "pytorch" else "yes")
        assert (inside.strip("'(\"") == "Keras") == (name in ("pytorch", "keras"))
        assert said["Adam: ε after or before the correction"] == ("before" if callable(here(first)["eps"]) else "after")
        if name != "tensorflow":
            amsgrad = {"optimizer": "amsgrad"} | rate if name == "optax" else first | {"amsgrad": True}
            assert said["AMSGrad: maximum of"] == {"raw": "$v$", "corrected": r"$\hat v$"}[here(amsgrad)["maximum"]]
        if name in ("pytorch", "keras"):
            for settings in (rms, first):
                got = here(settings | {"weight_decay": 0.1})
                beside = got.get("decoupled", False) or got["optimizer"] == "adamw"
                assert said["RMSprop, Adam: decay λθ goes"] == ("beside the step" if beside else "into $g$")
        if name != "tensorflow":  # and where it is taken away beside the step, the rule's line has α
            assert (here({"optimizer": "adamw"} | rate)["optimizer"], said["AdamW: decay a step"]) == ("adamw", "αλθ")


def test_without_decay_every_rmsprop_is_carried_exactly_into_optax_and_with_decay_none():
    for name in ("pytorch", "keras", "tensorflow"):
        base = {"optimizer": "rmsprop", "lr" if name == "pytorch" else "learning_rate": 0.001}
        for more in ({}, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.9, "centered": True}):
            assert translate(base | more, name, "optax").exact, (name, more)
        if name != "tensorflow":
            assert not translate(base | {"weight_decay": 0.01}, name, "optax").exact


# ---- the lines to copy ----------------------------------------------------


def whole(settings, framework):
    """All arguments, with the defaults, numbers to nine digits."""
    return {key: float(f"{value:.9g}") if isinstance(value, float) else value
            for key, value in translate(settings, framework, framework).settings.items()}


def read(text):
    """The settings of a block, by its last statement that makes an optimizer."""
    line, = (node for node in ast.parse(text).body
             if isinstance(node, ast.Assign) and node.targets[0].id == "optimizer")
    return ast.unparse(line)


@pytest.mark.parametrize("framework, text, wanted, near", [b for b in blocks() if "fw-moving" not in b.id])
def test_a_block_is_the_rule_or_says_near(framework, text, wanted, near):
    settings = settings_of(read(text), framework)
    there = translate(settings, framework, "descent").settings
    path = ours(there["optimizer"], {k: v for k, v in there.items() if k != "optimizer"}, start(wanted))
    same = distance(path, ours(*wanted, start(wanted))).max() <= BAR
    assert same != near
    if near:  # then it is the nearest: what translate makes of PyTorch's line
        first = next(b.values for b in blocks() if b.values[2] == wanted and b.values[0] == "pytorch")
        nearest = translate(settings_of(read(first[1]), "pytorch"), "pytorch", framework)
        assert not nearest.exact
        assert whole(nearest.settings, framework) == whole(settings, framework)


def test_the_page_has_a_block_of_each_framework_for_each_rule():
    found = {(b.id.rsplit("-", 1)[0]) for b in blocks()}
    assert {f"{cell}-{name}" for cell in WANTED if cell.startswith("fw") for name in FRAMEWORK} <= found
    assert max(len(line) for b in blocks() for line in b.values[1].splitlines()) <= 40  # a phone


# ---- where a framework is installed ---------------------------------------


def installed(name):
    """The framework's module, in float64; skipped where there is none, unless it must be there."""
    module = {"pytorch": "torch"}.get(name, name)
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if os.environ.get("FRAMEWORKS") == "required":
        found = importlib.import_module(module)
    else:
        found = pytest.importorskip(module, reason=f"{module} is not installed: its lines are read, not run")
    if name != "pytorch" and (name == "optax" or found.backend.backend() == "jax"):
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    if name == "keras":
        found.config.set_floatx("float64")
    return found


def torch_path(text, theta0, torch, rate=None, gradients=STREAM):
    theta = torch.tensor(theta0, dtype=torch.float64, requires_grad=True)
    space = {"torch": torch, "params": [theta]}
    exec(text, space)
    for t, g in enumerate(gradients, 1):
        space.get("before_step", lambda t: None)(t)
        if rate:
            space["optimizer"].param_groups[0]["lr"] = rate(t)
        theta.grad = torch.tensor(g)
        space["optimizer"].step()
        yield theta.detach().numpy().copy()


def keras_path(text, theta0, keras, rate=None, gradients=STREAM):
    space, theta = {"keras": keras}, keras.Variable(theta0, dtype="float64")
    exec(text, space)
    for t, g in enumerate(gradients, 1):
        if rate:
            space["optimizer"].learning_rate = rate(t)
        space["optimizer"].apply([keras.ops.convert_to_tensor(g, dtype="float64")], [theta])
        yield keras.ops.convert_to_numpy(theta.value).copy()


def optax_path(text, theta0, optax, rate=None, gradients=STREAM):
    import jax
    space = {"optax": optax}
    if rate:  # a schedule counts from 0
        steps = np.array([rate(t) for t in range(1, len(gradients) + 1)])
        space["schedule"] = lambda n: jax.numpy.array(steps)[n]
        text = text.replace("learning_rate=0.001", "learning_rate=schedule")
    exec(text, space)
    theta = jax.numpy.array(theta0)
    state, update = space["optimizer"].init(theta), jax.jit(space["optimizer"].update)
    for g in gradients:
        step, state = update(jax.numpy.array(g), state, theta)
        theta = optax.apply_updates(theta, step)
        yield np.array(theta)


PATH = {"pytorch": torch_path, "keras": keras_path, "optax": optax_path}


def path_of(framework, text, theta0, **more):
    return np.array([theta0, *PATH[framework](text, theta0, installed(framework), **more)])


@pytest.mark.parametrize("framework, text, wanted, near", list(blocks()))
def test_a_block_runs_in_its_framework_and_takes_the_path_of_our_rule(framework, text, wanted, near):
    path = path_of(framework, text, start(wanted))
    if near:
        there = translate(settings_of(read(text), framework), framework, "descent").settings
        assert distance(path, ours(*wanted, start(wanted))).max() > BAR
        wanted = there.pop("optimizer"), there
    assert distance(path, ours(*wanted, start(wanted))).max() <= BAR


@pytest.mark.parametrize("framework", [*FRAMEWORK.values(), "optax, another order"])
def test_under_a_schedule_the_buffer_keeps_the_old_rate_where_the_page_says(framework):
    def rate(t):
        return 0.01 if t <= 30 else 0.001

    framework, _, other = framework.partition(", ")
    text = next(b.values[1] for b in blocks() if b.values[0] == framework and (
        "PyTorch's momentum" in b.values[1] if other else b.id.startswith("fw-momentum")))
    path = path_of(framework, text, np.zeros(1), rate=rate, gradients=np.ones((60, 1)))
    inside, b = [0.0], 0.0
    ratio = 1 / np.sqrt(run(rules.rmsprop, theta0=[0.0], gradients=np.ones((60, 1))).v[1:, 0])
    for t in range(1, 61):
        b = 0.9 * b + rate(t) * ratio[t - 1]
        inside.append(inside[-1] - b)
    outside = run(rules.rmsprop_momentum, theta0=[0.0], gradients=np.ones((60, 1)), alpha=rate, mu=0.9, eps=0.0).theta
    wanted = outside[:, 0] if framework == "pytorch" or other else np.array(inside)
    assert np.allclose(path[:, 0], wanted, rtol=1e-6)  # ε is not 0 here
    assert not np.allclose(inside, outside[:, 0], rtol=0.1)


@pytest.mark.parametrize("framework", FRAMEWORK.values())
def test_a_decoupled_decay_is_multiplied_by_the_rate_of_the_moment(framework):
    def rate(t):
        return 0.1 / t

    text = next(b.values[1] for b in blocks() if b.id.startswith("fw-adamw") and b.values[0] == framework)
    path = path_of(framework, text, np.ones(1), rate=rate, gradients=np.zeros((20, 1)))
    assert np.allclose(path[-1], np.prod([1 - rate(t) * 0.01 for t in range(1, 21)]), rtol=1e-12)


def test_pytorch_decouples_the_decay_where_the_page_says():
    torch = installed("pytorch")
    able = {name for name, made in vars(torch.optim).items() if inspect.isclass(made)
            and "decoupled_weight_decay" in inspect.signature(made).parameters}
    assert able == {"Adam", "NAdam", "RAdam"}
    assert torch.optim.AdamW([torch.zeros(1)]).defaults["decoupled_weight_decay"]


def test_ci_installs_the_versions_that_the_page_names():
    job = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())["jobs"]["frameworks"]
    commands = " ".join(step.get("run", "") for step in job["steps"])
    for name, module in (("PyTorch", "torch"), ("Keras", "keras"), ("Optax", "optax")):
        version = re.search(rf"{name} ([\d.]*\d)", CELLS["fw-dictionary"].source)[1]
        assert re.search(rf'"{module}=={re.escape(version)}(\.\*)?"', commands), name
    assert {"FRAMEWORKS": "required"}.items() <= job["steps"][-1]["env"].items()


@pytest.mark.parametrize("name, framework", [("NAdam", "pytorch"), ("RAdam", "pytorch"), ("Nadam", "keras"), ("radam", "optax")])
def test_a_name_that_translate_does_not_know_is_an_error_with_those_it_knows(name, framework):
    assert "NAdam or RAdam, is an error that lists the names it knows" in CELLS["fw-translate"].source
    with pytest.raises(ValueError) as error:
        translate({"optimizer": name}, framework, "descent")
    assert str(error.value) == f"optimizer = {name!r}, but translate knows of {NAMES[framework]}: {', '.join(DEFAULTS[framework])}"


# ---- the form -------------------------------------------------------------


@pytest.fixture(scope="module")
def form():
    """The fields of the form, as the page's cells make them."""
    space = {"display": None}
    for name in ("fw-imports", "fw-same", "fw-form", "fw-widgets"):
        exec(CELLS[name].source, space)
    space["line"] = "RMSprop(0.001)"
    return space["form"]


def test_the_form_translates_at_once_and_whenever_a_field_changes(form):
    source, text, target, below = form().children
    assert "torch.optim.RMSprop(params, lr=0.001, alpha=0.9" in below.value and "not exact" in below.value
    target.value = "optax"
    assert "optax.rmsprop(" in below.value and "<p>exact</p>" in below.value
    text.value = "keras.optimizers.Adam(0.01, epsilon=0.0)"
    assert "optax.adam(learning_rate=0.01" in below.value
    source.value = "pytorch"
    assert "epsilon = 0.0, but PyTorch" in below.value  # the other names are an error, in a sentence


@pytest.mark.parametrize("typed, said", [
    ("", "must be like keras.optimizers.RMSprop()"), ("lr=0.1", "must be like"),
    ("Adam(learning_rate=schedule)", "must be a constant number"), ("Adam(beta_1=1.5)", "at least 0 and less than 1"),
    ("Adamm(0.1)", "translate knows of Keras"), ("Adam(0.1, 0.9)", "has no name"), ("Adam(", "must be like"),
    ("<b>", "must be like")])
def test_what_cannot_be_read_is_a_sentence_below_the_field(form, typed, said):
    source, text, target, below = form().children
    text.value = typed
    assert said in below.value and below.value.endswith(".</b>") and "Error" not in below.value


def test_the_saved_page_holds_no_widget():
    kinds = {kind for cell in CELLS.values() for out in cell.get("outputs", ()) for kind in out.get("data", {})}
    assert kinds <= {"text/plain", "text/html", "image/png"}


@pytest.mark.parametrize("seed", range(3))
def test_an_edited_page_runs_to_its_end_or_stops_with_a_sentence(seed):
    for words, error in edits.tried(PAGE, count=1, seed=seed):
        assert error is None, f"{words}\n{error}"


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


def test_two_directions_wants_ten_gradients_that_part_the_two(said):
    small = 1e-7**0.5
    assert "correct" in said(exercises.check_two_directions, [small] * 4 + [-1.0] + [0.0] * 5)
    assert "same way" in said(exercises.check_two_directions, [1e-3] * 10)
    assert "nearly" in said(exercises.check_two_directions, [small] * 4 + [-1.0, -0.13] + [0.0] * 4)
    assert "not done yet" in said(exercises.check_two_directions, None)
    assert "has shape (2,)" in said(exercises.check_two_directions, [1.0, 2.0])
    assert "finite" in said(exercises.check_two_directions, [np.nan] * 10)


def test_no_step_of_the_two_directions_differs_by_more_than_root_two():
    g = np.random.default_rng(0).standard_normal((200, 50)) * 10.0 ** np.arange(-6, 0, 0.12)
    steps = [np.diff(run(rules.rmsprop, theta0=np.zeros(50), gradients=g, alpha=1.0, eps=eps,
                         eps_inside=inside).theta, axis=0) for eps, inside in ((1e-7, True), (math.sqrt(1e-7), False))]
    ratio = steps[0] / steps[1]
    assert ratio.min() >= 1 - 1e-9 and 1.4 < ratio.max() <= math.sqrt(2) + 1e-9
