"""Time and memory of the optimizer's step itself, on one flat float32 tensor of n parameters.

    python cost.py --tag 1                # n = 1e6 ... 1e9 on a GPU
    python cost.py --device cpu --tiny    # a miniature

Compares torch.optim (single-tensor, foreach, fused) and the equations of optimizers.py through
torch.compile with the bytes that every implementation must move, at the speed of a plain copy.
Writes OUT/cost_TAG.csv.
"""

import argparse
import csv
import statistics
import time

from pathlib import Path

import torch

from corpus import HERE
from optimizers import RULES, Hyper, hyper_table
from settings import setting

# torch's class and options, our rule, the float32 numbers that must be read or written per parameter
CASES = {
    "SGD": (torch.optim.SGD, {}, "sgd", 3),                                 # read p g, write p
    "SGD momentum": (torch.optim.SGD, dict(momentum=0.9), "momentum", 5),   # and read, write m
    "RMSprop": (torch.optim.RMSprop, {}, "rmsprop", 5),                     # and read, write v
    "RMSprop centered": (torch.optim.RMSprop, dict(centered=True), "centered", 7),
    "Adam": (torch.optim.Adam, {}, "adam", 7)}                              # and read, write m v
STATES = {"sgd": 0, "momentum": 1, "rmsprop": 1, "centered": 2, "adam": 2}
COLUMNS = ("n", "optimizer", "implementation", "state_bytes", "temporary_bytes", "bytes_must_move",
           "repeats", "median_ms", "p10_ms", "p90_ms", "gb_per_s", "copy_gb_per_s", "floor_ms",
           "ratio_to_floor")


def timed(function, device, repeats):
    """(sorted milliseconds of single calls after ten warm-ups, bytes borrowed during a call).

    On a GPU between two events of the device; the bytes are those on top of what is held between calls.
    """
    for _ in range(10):
        function()
    if device == "cpu":
        times = []
        for _ in range(repeats):
            begin = time.perf_counter()
            function()
            times.append(1e3 * (time.perf_counter() - begin))
        return sorted(times), 0
    torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated()
    function()
    borrowed = torch.cuda.max_memory_allocated() - held
    marks = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(repeats)]
    torch.cuda.synchronize()
    for begin, end in marks:
        begin.record()
        function()
        end.record()
    torch.cuda.synchronize()
    return sorted(begin.elapsed_time(end) for begin, end in marks), borrowed


def implementations(n, name, device):
    """Yield (label, function that makes one step, bytes of state)."""
    optimizer, options, rule, _ = CASES[name]
    p, g = (torch.randn(n, device=device) for _ in range(2))
    flags = {"single-tensor": dict(foreach=False), "foreach": dict(foreach=True),
             "fused": dict(fused=True)}
    for label, flag in flags.items():
        q = torch.nn.Parameter(p.clone())
        q.grad = g
        try:
            steps = optimizer([q], lr=1e-3, **options, **flag)
            steps.step()
        except (TypeError, RuntimeError) as error:
            print(f"{name} {label}: not available ({type(error).__name__}: {str(error)[:80]})", flush=True)
            continue
        held = [x for x in steps.state[q].values() if torch.is_tensor(x) and x.numel() == n]
        yield label, steps.step, sum(x.numel() * x.element_size() for x in held)
        del steps, q, held
    m, v = torch.zeros_like(p), torch.zeros_like(p)
    h = Hyper(*hyper_table(setting(rule, 1e-3, 0.9, 0.999, "both"), 100)[99].to(device).unbind())

    def equations(p, g, m, v, h):
        p.copy_(p - h.lr * RULES[rule](g, m, v, h))

    if device != "cpu":
        equations = torch.compile(equations, dynamic=True)
    label = "eager equations" if device == "cpu" else "compiled equations"
    yield label, lambda: equations(p, g, m, v, h), 4 * n * STATES[rule]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--tag", default="0", help="writes OUT/cost_TAG.csv")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sizes = [10**4, 10**5] if options.tiny else [10**6, 10**7, 10**8, 10**9]
    rows = []

    def add(n, name, label, state, moved, timing, copy):
        """Record one measurement; returns its GB/s."""
        times, borrowed = timing
        median, least = statistics.median(times), 4 * n * moved
        speed = least / median / 1e6
        floor = least / copy / 1e6 if copy else median
        measured = (median, times[len(times) // 10], times[len(times) * 9 // 10], speed,
                    copy or speed, floor, median / floor)
        rows.append([n, name, label, state, borrowed, least, len(times),
                     *(f"{x:.5g}" for x in measured)])
        print(*rows[-1], flush=True)
        with open(options.out / f"cost_{options.tag}.csv", "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS] + rows)
        return speed

    def copies(n, copy):
        x = torch.randn(n, device=options.device)
        y = torch.empty_like(x)
        timing = timed(lambda: y.copy_(x), options.device, 50)
        return add(n, "copy", "torch copy_", 0, 2, timing, copy)

    copy = copies(sizes[-1], None)                       # the ceiling: the largest copy
    for n in sizes:
        if n != sizes[-1]:
            copies(n, copy)
        for name in CASES:
            for label, function, state in implementations(n, name, options.device):
                timing = timed(function, options.device, 100 if n < 10**9 else 20)
                add(n, name, label, state, CASES[name][3], timing, copy)
            if options.device == "cuda":
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
