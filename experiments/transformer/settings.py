"""The settings of every run, and how each list of them follows from earlier results.

A *setting* is a dict; a *result* is its setting and what was recorded.  A *phase* is a function
(options, run, done): it asks for its settings by calling run(list), and finds results in done.
"""

import json
import lzma
import math


def setting(rule, lr, b1=0.0, b2=0.0, correction="none", seed=0, steps=0, warmup=0, wd=0.0, rep=0):
    """One run; `rep` > 0 repeats identical settings, to measure the noise of the machine."""
    return dict(rule=rule, lr=float(lr), b1=float(b1), b2=float(b2), correction=correction,
                warmup=warmup, wd=float(wd), seed=seed, steps=steps, rep=rep)


def key(result):
    return json.dumps({name: result[name] for name in setting("", 0)})


def load(folder):
    """{key: result} from all runs*.jsonl and runs*.jsonl.xz of a folder."""
    done = {}
    for path in sorted(folder.glob("runs*.jsonl*")):
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt") as file:
            done.update((key(result), result) for result in map(json.loads, file))
    return done


def final(result):
    """Validation loss at the end, infinite where there is none."""
    loss = result["val"][-1][1]
    return math.inf if loss is None else loss


def rate(k):
    """Half-decades: 1e-3 for k = −6, 3e-3 for −5; between them the geometric mean."""
    if k % 1:
        return float(f"{math.sqrt(rate(k - 0.5) * rate(k + 0.5)):.2g}")
    return float(f"{3 if k % 2 else 1}e{int(k // 2)}")


def phase_a(options, run, done):
    """Bias correction: both, none, first moment only; with a warm-up; identical settings again."""
    grid = [setting("adam", rate(k), 0.9, b2, correction, seed, options.steps)
            for seed in range(3) for b2 in (0.999, 0.95, 0.99, 0.9999)
            for correction in ("both", "none", "m")
            for k in range(-9, -2) if correction != "m" or b2 == 0.999]
    warm = [setting("adam", rate(k), 0.9, 0.999, correction, 0, options.steps, warmup=100)
            for correction in ("both", "none") for k in range(-7, -3)]
    again = [setting("adam", lr, 0.9, 0.999, "both", 0, options.steps, rep=rep)
             for lr in (3e-4, 1e-3) for rep in (1, 2)]
    one_seed = len(grid) // 3
    return run(grid[:one_seed] + warm + again + grid[one_seed:])


OPTIMIZERS = {      # name: rule, β₁, β₂, correction, the lowest of the first six rates
    "SGD": ("sgd", 0, 0, "none", -5),
    "momentum 0.9": ("momentum", 0.9, 0, "none", -6),
    "Signum 0.9": ("signum", 0.9, 0, "none", -10),
    "RMSprop 0.9": ("rmsprop", 0, 0.9, "none", -9),
    "RMSprop 0.99": ("rmsprop", 0, 0.99, "none", -10),
    "RMSprop 0.999": ("rmsprop", 0, 0.999, "none", -11),
    "RMSprop 0.99 centered": ("centered", 0, 0.99, "none", -10),
    "Adam 0.9, 0.999": ("adam", 0.9, 0.999, "both", -9),
    "Adam 0.9, 0.95": ("adam", 0.9, 0.95, "both", -9),
    "Adam 0.95, 0.95": ("adam", 0.95, 0.95, "both", -9)}


def tuning(name, options, done, warmup=0):
    """Six half-decades with the best one inside, then a quarter of a decade to either side of it.

    Returns (settings still to be run, the results of the eight once all are there).
    """
    rule, b1, b2, correction, low = OPTIMIZERS[name]
    low += warmup > 0                       # a warm-up allows higher rates
    for _ in range(8):
        six = {k: setting(rule, rate(k), b1, b2, correction, 0, options.steps, warmup)
               for k in range(low, low + 6)}
        missing = [s for s in six.values() if key(s) not in done]
        if missing:
            return missing, None
        best = min(six, key=lambda k: final(done[key(six[k])]))
        if low < best < low + 5:
            break
        low += 1 if best > low else -1
    eight = [*six.values()] + [dict(six[best], lr=rate(best + d)) for d in (-0.5, 0.5)]
    missing = [s for s in eight if key(s) not in done]
    return missing, None if missing else [done[key(s)] for s in eight]


def phase_b(options, run, done, warmup=0):
    """Ten optimizers with equal tuning: eight rates on seed 0, then two more seeds at the best."""
    for _ in range(1 if options.tiny else 9):
        todo = [s for name in OPTIMIZERS for s in tuning(name, options, done, warmup)[0]]
        if not (todo and run(todo)):
            break
    tuned = [tuning(name, options, done, warmup)[1] for name in OPTIMIZERS]
    best = [min(results, key=final) for results in tuned if results]
    best = [{name: result[name] for name in setting("", 0)} for result in best]
    return run([dict(b, seed=seed) for seed in (1, 2) for b in best])


def phase_c(options, run, done, warmup=0):
    """Decay rates at Adam's best half-decade of phase A, at a third of it and at three times."""
    tried = {k: setting("adam", rate(k), 0.9, 0.999, "both", 0, options.steps, warmup)
             for k in range(-9, -2)}
    tried = {k: final(done[key(s)]) for k, s in tried.items() if key(s) in done}
    best = min(tried, key=tried.get, default=-6)
    return run([setting("adam", rate(k), b1, b2, "both", 0, options.steps_c, warmup)
                for k in (best, best - 1, best + 1)
                for b1 in (0, 0.5, 0.8, 0.9, 0.95, 0.99)
                for b2 in (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)])


PHASES = {"A": phase_a, "B": phase_b, "C": phase_c,
          "Bw": lambda *given: phase_b(*given, warmup=100),
          "Cw": lambda *given: phase_c(*given, warmup=100)}
