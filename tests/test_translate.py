"""translate: where it says exact the paths agree, elsewhere they differ.

tests/golden/translations.npz holds pairs of paths, each computed by the two
frameworks themselves: the source's settings, and what translate makes of
them.  Paths agree when they are within 1e-11 of each coordinate's travel.
"""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest

from descent import rules, run, translate
from descent.frameworks import DEFAULTS, NAMES, line_of, settings_of
from descent.recorded.paths import distance, parity_errors, recorded

RECORDED = recorded(Path(__file__).parent / "golden" / "translations.npz")
PAIRS = list(zip(RECORDED[::2], RECORDED[1::2]))
AGREE = 1e-11


def name(pair):
    return f"{pair[0].name}-to-{pair[1].framework}"


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_exact_translations_agree_and_the_others_differ(pair):
    source, target = pair
    there = translate(source.settings, source.framework, target.framework)
    assert there.settings == target.settings, "record the translations again"
    agree = distance(target.theta, source.theta).max() <= AGREE
    assert there.exact == agree
    assert there.exact or there.notes


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_translation_to_descent_agrees_where_exact(case):
    there = translate(case.settings, case.framework, "descent")
    agree = parity_errors(case, there.settings).max() <= AGREE
    assert there.exact == agree


def test_both_kinds_of_pairs_are_recorded():
    exact = [translate(a.settings, a.framework, b.framework).exact
             for a, b in PAIRS]
    assert sum(exact) > 40 and len(exact) - sum(exact) > 40
    assert len({(a.framework, b.framework) for a, b in PAIRS}) == 6


# -- RMSprop -----------------------------------------------------------------


def test_keras_rmsprop_to_pytorch_moves_epsilon_out_of_the_root():
    there = translate({"optimizer": "RMSprop", "rho": 0.9, "epsilon": 1e-8,
                       "learning_rate": 1e-3}, "keras", "pytorch")
    assert there.settings == {
        "optimizer": "RMSprop", "lr": 1e-3, "alpha": 0.9, "eps": 1e-4,
        "momentum": 0.0, "centered": False, "weight_decay": 0.0}
    assert not there.exact
    assert any("ε" in note and "√" in note for note in there.notes)


def test_rmsprop_without_epsilon_is_the_same_everywhere_but_in_tensorflow():
    for target in ("pytorch", "optax", "descent"):
        assert translate({"optimizer": "RMSprop", "epsilon": 0},
                         target=target).exact
    there = translate({"optimizer": "RMSprop", "epsilon": 0},
                      target="tensorflow")
    assert not there.exact
    assert any("starts at 0" in note and "at 1" in note
               for note in there.notes)


def test_tensorflow_rmsprop_is_optax_with_initial_scale_one():
    settings = {"optimizer": "RMSProp", "learning_rate": 0.01}
    there = translate(settings, "tensorflow", "optax")
    assert there.exact
    assert there.settings["initial_scale"] == 1
    assert there.settings["eps"] == 1e-10 and there.settings["eps_in_sqrt"]
    back = translate(there.settings, "optax", "tensorflow")
    assert back.exact
    assert back.settings == {
        "optimizer": "RMSPropOptimizer", "learning_rate": 0.01, "decay": 0.9,
        "momentum": 0.0, "epsilon": 1e-10, "centered": False}
    assert not translate(settings, "tensorflow", "keras").exact


def test_momentum_names_the_schedule():
    settings = {"optimizer": "RMSprop", "epsilon": 0.0, "momentum": 0.9}
    there = translate(settings)
    assert there.exact
    assert any("schedule" in note and "buffer" in note for note in there.notes)
    assert not any("schedule" in note
                   for note in translate(settings, target="optax").notes)


def test_the_schedule_note_is_true():
    """Rate inside or outside the buffer: equal at a constant rate only."""
    rng = np.random.default_rng(0)
    stream = rng.standard_normal((50, 2))

    def inside(alpha):
        theta, b = np.zeros(2), 0.0
        for t, g in enumerate(stream, 1):
            b = 0.9 * b + alpha(t) * g
            theta = theta - b
        return theta

    for alpha, same in ((lambda t: 0.1, True), (lambda t: 0.1 / t, False)):
        ours = run(rules.momentum, theta0=[0.0, 0.0], gradients=stream,
                   alpha=alpha, mu=0.9).theta[-1]
        assert (np.abs(ours - inside(alpha)).max() < 1e-12) == same


def test_nesterov_without_momentum_changes_nothing():
    for settings, source in (({"optimizer": "SGD", "nesterov": True}, "keras"),
                             ({"optimizer": "rmsprop", "learning_rate": 0.1,
                               "nesterov": True, "eps": 0.0}, "optax")):
        there = translate(settings, source, "pytorch")
        assert there.exact and not there.settings.get("nesterov")


def test_only_optax_and_descent_have_nesterov_in_rmsprop():
    settings = {"optimizer": "rmsprop", "learning_rate": 0.1, "eps": 0.0,
                "momentum": 0.9, "nesterov": True}
    assert not translate(settings, "optax", "pytorch").exact
    there = translate(settings, "optax", "descent")
    assert there.exact and there.settings["nesterov"]


def test_corrected_rmsprop_is_adam_with_beta1_zero():
    settings = {"optimizer": "rmsprop", "learning_rate": 0.1,
                "bias_correction": True, "eps_in_sqrt": False}
    there = translate(settings, "optax", "pytorch")
    assert there.exact
    assert there.settings["optimizer"] == "Adam"
    assert there.settings["betas"] == (0.0, 0.9)
    assert not translate(settings | {"eps_in_sqrt": True}, "optax",
                         "pytorch").exact


# -- Adam --------------------------------------------------------------------


def test_keras_adam_adds_epsilon_before_the_correction():
    there = translate({"optimizer": "Adam"}, "keras", "pytorch")
    assert there.settings["betas"] == (0.9, 0.999)
    assert there.settings["eps"] == 1e-7
    assert not there.exact
    assert any("31.6" in note for note in there.notes)
    assert translate({"optimizer": "Adam", "epsilon": 0.0}).exact
    assert translate({"optimizer": "Adam"}, target="tensorflow").exact
    here = translate({"optimizer": "Adam"}, target="descent")
    assert here.exact
    assert here.settings["eps"](1) == pytest.approx(1e-7 / np.sqrt(0.001))


def test_decay_of_keras_is_decoupled_and_of_pytorch_adam_coupled():
    keras = {"optimizer": "Adam", "epsilon": 0.0, "weight_decay": 0.01}
    there = translate(keras)
    assert there.exact and there.settings["optimizer"] == "AdamW"
    torch = {"optimizer": "Adam", "eps": 0.0, "weight_decay": 0.01}
    back = translate(torch, "pytorch", "keras")
    assert not back.exact
    assert "weight_decay" not in back.settings
    assert any("L2(0.005)" in note for note in back.notes)
    assert translate(torch | {"decoupled_weight_decay": True}, "pytorch",
                     "keras").exact
    assert translate(torch, "pytorch", "descent").settings[
        "optimizer"] == "adam_l2"


def test_decay_of_plain_gradient_descent_is_both():
    there = translate({"optimizer": "SGD", "weight_decay": 0.1})
    assert there.exact and there.settings["weight_decay"] == 0.1
    there = translate({"optimizer": "SGD", "weight_decay": 0.1,
                       "momentum": 0.9})
    assert not there.exact


def test_amsgrad_takes_its_maximum_in_two_places():
    keras = {"optimizer": "Adam", "epsilon": 0.0, "amsgrad": True}
    assert translate(keras).exact
    assert not translate(keras, target="optax").exact
    there = translate(keras, target="tensorflow")
    assert not there.exact and any("AMSGrad" in n for n in there.notes)
    optax = {"optimizer": "amsgrad", "learning_rate": 0.1}
    assert translate(optax, "optax", "descent").settings[
        "maximum"] == "corrected"


@pytest.mark.parametrize("power", [False, True])
def test_amsgrad_without_corrections_becomes_a_schedule(power):
    """Against Optax's formula, which the golden paths also confirm."""
    eps = {"eps": 0.0, "eps_root": 1e-3} if power else {"eps": 1e-3}
    there = translate({"optimizer": "amsgrad", "learning_rate": 0.1, **eps,
                       "bias_correction_mu": False,
                       "bias_correction_nu": False}, "optax", "descent")
    assert there.exact
    stream = np.random.default_rng(3).standard_normal((40, 1))
    theta = m = v = v_max = 0.0
    for g in stream[:, 0]:
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        v_max = max(v_max, v)
        root = np.sqrt(v_max + 1e-3) if power else np.sqrt(v_max) + 1e-3
        theta -= 0.1 * m / root
    hyper = dict(there.settings)
    rule = getattr(rules, hyper.pop("optimizer"))
    ours = run(rule, theta0=[0.0], gradients=stream, **hyper)
    assert abs(ours.theta[-1, 0] - theta) < 1e-13


# -- all of them -------------------------------------------------------------


def complete(source, optimizer):
    """The defaults, with a number where there is none."""
    rate = "learning_rate" if source in ("optax", "tensorflow") else None
    settings = {"optimizer": optimizer, **({rate: 0.01} if rate else {})}
    if optimizer == "MomentumOptimizer":
        settings["momentum"] = 0.9
    return settings


EVERY = [(source, optimizer) for source in NAMES
         for optimizer in DEFAULTS[source]]


@pytest.mark.parametrize("source, optimizer", EVERY)
def test_to_the_same_framework_fills_in_the_defaults(source, optimizer):
    settings = complete(source, optimizer)
    there = translate(settings, source, source)
    assert there.exact and there.notes == ()
    defaults = {key: value for key, value in DEFAULTS[source][
        optimizer].items() if key not in settings}
    assert there.settings == {**settings, **defaults}


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source, optimizer", EVERY)
def test_an_exact_translation_translates_back_exactly(source, optimizer,
                                                      target):
    there = translate(complete(source, optimizer), source, target)
    constant = not any(callable(value) for value in there.settings.values())
    if constant:
        back = translate(there.settings, target, source)
        assert back.exact or not there.exact
    assert there.exact or there.notes


@pytest.mark.parametrize("source, optimizer", EVERY)
def test_every_default_has_an_exact_rule_here(source, optimizer):
    assert translate(complete(source, optimizer), source, "descent").exact


@pytest.mark.parametrize("key", ["foreach", "fused", "capturable"])
def test_arguments_that_choose_an_implementation_are_ignored(key):
    there = translate({"optimizer": "RMSprop", "eps": 0.0, key: True},
                      "pytorch", "keras")
    assert there.exact and key not in there.settings


@pytest.mark.parametrize("extra", [
    {"clipnorm": 1.0}, {"clipvalue": 0.5}, {"global_clipnorm": 2.0},
    {"loss_scale_factor": 8.0}, {"gradient_accumulation_steps": 4},
    {"use_ema": True, "ema_overwrite_frequency": 10}])
def test_what_is_no_part_of_a_rule_is_left_out_and_named(extra):
    settings = {"optimizer": "Adam", "epsilon": 0.0, **extra}
    there = translate(settings, "keras", "pytorch")
    assert not there.exact
    assert any(list(extra)[-1] in note for note in there.notes)


def test_lr_decay_becomes_a_schedule_here_and_a_note_elsewhere():
    settings = {"optimizer": "Adagrad", "eps": 0.0, "lr_decay": 0.1}
    there = translate(settings, "pytorch", "keras")
    assert not there.exact and any("schedule" in n for n in there.notes)
    here = translate(settings, "pytorch", "descent")
    assert here.exact and here.settings["alpha"](11) == 0.01 / 2


# -- bad input ---------------------------------------------------------------


@pytest.mark.parametrize("settings, source, target, parts", [
    ({"optimizer": "Adam"}, "caffe", "keras", ["source", "caffe", "pytorch"]),
    ({"optimizer": "Adam"}, "keras", "caffe", ["target", "caffe", "optax"]),
    ({"optimizer": "Nadam"}, "keras", "pytorch",
     ["optimizer", "Nadam", "RMSprop"]),
    ({"rho": 0.9}, "keras", "pytorch", ["optimizer"]),
    ({"optimizer": "RMSprop", "alpha": 0.9}, "keras", "pytorch",
     ["alpha", "0.9", "rho"]),
    ({"optimizer": "RMSprop", "rho": 1.0}, "keras", "pytorch",
     ["rho", "1.0", "less than 1"]),
    ({"optimizer": "RMSprop", "rho": -0.1}, "keras", "pytorch",
     ["rho", "-0.1", "at least 0"]),
    ({"optimizer": "RMSprop", "epsilon": float("nan")}, "keras", "pytorch",
     ["epsilon", "nan", "finite"]),
    ({"optimizer": "RMSprop", "learning_rate": "fast"}, "keras", "pytorch",
     ["learning_rate", "fast", "number"]),
    ({"optimizer": "RMSprop", "centered": 1}, "keras", "pytorch",
     ["centered", "1", "True or False"]),
    ({"optimizer": "Adam", "betas": 0.9}, "pytorch", "keras",
     ["betas", "0.9", "pair"]),
    ({"optimizer": "rmsprop"}, "optax", "keras",
     ["learning_rate", "missing", "Optax"]),
    ({"optimizer": "adam", "correct": "all"}, "descent", "keras",
     ["correct", "all", "'both'"]),
])
def test_bad_input_names_argument_value_and_what_is_allowed(settings, source,
                                                            target, parts):
    with pytest.raises(ValueError) as error:
        translate(settings, source, target)
    for part in parts:
        assert part in str(error.value)


def test_names_of_optimizers_ignore_case():
    a = translate({"optimizer": "rmsprop"}, "keras", "optax")
    assert a == translate({"optimizer": "RMSprop"}, "keras", "optax")


# ---- settings as the frameworks export them --------------------------------

# torch.optim.AdamW(...).defaults of PyTorch 2.13, as it prints them
ADAMW_DEFAULTS = {
    "lr": 0.002, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1,
    "amsgrad": False, "foreach": None, "maximize": False, "capturable": False,
    "differentiable": False, "fused": None, "decoupled_weight_decay": True}


def test_the_defaults_of_an_adamw_are_understood():
    plain = translate({"optimizer": "AdamW", "lr": 0.002, "betas": (0.9, 0.95),
                       "weight_decay": 0.1}, "pytorch", "keras")
    exported = translate({"optimizer": "AdamW", **ADAMW_DEFAULTS}, "pytorch",
                         "keras")
    assert exported == plain
    there = translate({"optimizer": "AdamW", **ADAMW_DEFAULTS}, "pytorch", "descent")
    assert there.exact and there.settings["weight_decay"] == 0.1
    same = translate({"optimizer": "AdamW", **ADAMW_DEFAULTS}, "pytorch", "pytorch")
    assert "decoupled_weight_decay" not in same.settings


def test_an_adamw_that_is_not_decoupled_is_refused():
    with pytest.raises(ValueError, match="decoupled_weight_decay = False of AdamW must be True"):
        translate({"optimizer": "AdamW", **ADAMW_DEFAULTS, "decoupled_weight_decay": False},
                  "pytorch", "keras")


def test_a_param_group_under_a_scheduler_is_understood_and_says_so():
    group = {"params": [object()], **ADAMW_DEFAULTS, "initial_lr": 0.01, "max_lr": 0.1,
             "min_lr": 1e-5, "base_momentum": 0.85, "max_momentum": 0.95}
    there = translate({"optimizer": "AdamW", **group}, "pytorch", "descent")
    assert there.exact and there.settings["alpha"] == 0.002
    assert there.notes[0].startswith("A scheduler has written base_momentum, initial_lr, ")


def test_keras_s_serialized_optimizer_is_understood():
    config = {"name": "adam", "learning_rate": np.float32(0.25), "weight_decay": None, "clipnorm": None,
              "global_clipnorm": None, "clipvalue": None, "use_ema": False, "ema_momentum": 0.99,
              "ema_overwrite_frequency": None, "loss_scale_factor": None,
              "gradient_accumulation_steps": None, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
              "amsgrad": False}
    serialized = {"module": "keras.optimizers", "class_name": "Adam", "config": config,
                  "registered_name": None}
    assert translate(serialized, "keras", "optax") == translate({"optimizer": "Adam", **config}, "keras", "optax")


def test_a_number_in_an_array_is_a_number():
    """As Optax's inject_hyperparams and a tensor lr hold it."""
    there = translate({"optimizer": "adam", "learning_rate": np.array(0.5), "b1": np.array(0.75)}, "optax", "pytorch")
    assert there.settings["lr"] == 0.5 and there.settings["betas"][0] == 0.75
    with pytest.raises(ValueError, match="must be a constant number"):
        translate({"optimizer": "adam", "learning_rate": np.ones(2)}, "optax", "pytorch")


# -- what the frameworks themselves export, where they are installed ----------


def installed(module):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    if os.environ.get("FRAMEWORKS") == "required":  # as in CI
        return importlib.import_module(module)
    return pytest.importorskip(module, reason=f"{module} is not installed: its recorded exports are read")


@pytest.mark.parametrize("name", DEFAULTS["pytorch"])
def test_what_pytorch_exports_is_understood_under_schedulers_too(name):
    torch = installed("torch")
    optimizer = getattr(torch.optim, name)([torch.zeros(2)])
    plain = translate({"optimizer": name}, "pytorch", "keras")
    assert translate({"optimizer": name, **optimizer.defaults}, "pytorch", "keras") == plain
    schedules = torch.optim.lr_scheduler
    schedules.OneCycleLR(optimizer, 0.1, total_steps=10, cycle_momentum="momentum" in optimizer.defaults
                         or "betas" in optimizer.defaults)
    schedules.CosineAnnealingLR(optimizer, 10)
    torch.optim.swa_utils.SWALR(optimizer, 0.05)
    there = translate({"optimizer": name, **optimizer.param_groups[0]}, "pytorch", "descent")
    assert there.settings["alpha"] == optimizer.param_groups[0]["lr"]
    assert there.notes[0].startswith("A scheduler has written")


@pytest.mark.parametrize("name", DEFAULTS["keras"])
def test_what_keras_exports_is_understood(name):
    keras = installed("keras")
    optimizer = getattr(keras.optimizers, name)(learning_rate=0.25)
    plain = translate({"optimizer": name, "learning_rate": 0.25}, "keras", "pytorch")
    assert translate({"optimizer": name, **optimizer.get_config()}, "keras", "pytorch") == plain
    assert translate(keras.optimizers.serialize(optimizer), "keras", "pytorch") == plain


# -- lines of code -------------------------------------------------------------


@pytest.mark.parametrize("framework, name", [
    (framework, name) for framework in ("pytorch", "keras", "optax", "tensorflow") for name in DEFAULTS[framework]])
def test_a_line_that_is_written_is_read_back(framework, name):
    rate = "lr" if framework == "pytorch" else "learning_rate"
    settings = {"optimizer": name, rate: 0.1 + 0.2}  # all digits of a number stay
    if name == "MomentumOptimizer":
        settings["momentum"] = 0.9
    full = translate(settings, framework, framework).settings
    assert settings_of(line_of(full, framework), framework) == full
    assert settings_of(f"opt = {name}({'params, ' * (framework == 'pytorch')}0.1)", framework) == {
        "optimizer": name, rate: 0.1}


@pytest.mark.parametrize("text, framework, said", [
    ("", "keras", "must be like keras.optimizers.RMSprop()"), ("Adam", "keras", "must be like"),
    ("Adam(", "pytorch", "must be like torch.optim.RMSprop(params)"), ("a = 1", "keras", "must be like"),
    ("Adam()\nAdam()", "keras", "must be like"), ("import torch", "pytorch", "must be like"),
    ("f()()", "keras", "must be like"), ("Adam(**more)", "keras", "a ** hides arguments"),
    ("{**more}", "keras", "a ** hides arguments"), ("Adam(1, 2)", "keras", "2 has no name"),
    ("Adam(net, 1, 2)", "pytorch", "2 has no name"), ("Adam(schedule)", "keras", "learning_rate = schedule, but"),
    ("{'lr': x}", "pytorch", "'lr' = x, but it must be a constant number")])
def test_a_line_that_cannot_be_read_is_refused_in_a_sentence(text, framework, said):
    with pytest.raises(ValueError) as error:
        settings_of(text, framework)
    assert said in str(error.value)


def test_the_parameters_may_have_a_name_and_a_dict_is_read():
    assert settings_of("torch.optim.SGD(params=net.parameters(), lr=0.1)", "pytorch") == {"optimizer": "SGD", "lr": 0.1}
    assert settings_of("{'optimizer': 'Adam', 'betas': (0.5, 0.9)}", "pytorch") == {
        "optimizer": "Adam", "betas": (0.5, 0.9)}


def test_a_line_is_written_for_frameworks_alone():
    with pytest.raises(ValueError, match="framework = 'descent', but it must be one of 'pytorch'"):
        line_of({"optimizer": "adam"}, "descent")
