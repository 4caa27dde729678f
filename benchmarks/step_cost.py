"""What one step of Adam costs, and what the machine could do at best.

    python benchmarks/step_cost.py            # ratios, printed
    python benchmarks/step_cost.py --blocks   # ratios of block sizes
    python benchmarks/step_cost.py --record   # all of chapter 15's times

The first prints the time of `descent.inplace.InPlaceAdam` over that of the
readable rule `descent.adam` and of torch.optim.Adam (single-tensor, which is
PyTorch's default on a CPU, foreach, fused), where torch can be imported, all
in float32; below 1 the in-place version is faster.  At most 1.0 against
single-tensor, one thread each, is the promise.  The last writes
code/descent/recorded/costs.npz, with the machine that was measured; set MACHINE to
describe it in words.

The contenders take turns, so that a slow moment of the machine hits all of
them, and each is given the median of many rounds (on a virtual machine the
clock miscounts now and then, so the least time is no measure).  With one
thread times are processor times; with PyTorch's default number of threads they are times
on the wall.  The in-place version always has one thread: between operations
of microseconds, handing Python's lock to and fro ate what a second one won.
"""

import argparse
import os
import platform
from statistics import median
from time import perf_counter, process_time

import numpy as np

from descent import State, adam
from descent.inplace import BLOCK_BYTES, InPlaceAdam
from descent.recorded import costs

try:
    import torch
except ImportError:
    torch = None

PRINTED = 10**2, 10**4, 10**6, 10**7
RECORDED = 10**2, 10**3, 10**4, 10**5, 10**6, 10**7
ROWS = []


def race(contenders, n, clock, budget=30):
    """{name: seconds of one call in each round}, the contenders taking turns.

    Up to 200 rounds of at least 1e5 parameters or 200 calls, at least 10
    rounds, and no more than `budget` seconds.
    """
    repeat = max(1, min(200, 10**5 // n))
    times = {name: [] for name in contenders}
    for step in contenders.values():
        step()
    begun = perf_counter()
    for done in range(200):
        if done >= 10 and perf_counter() - begun > budget:
            break
        for name, step in contenders.items():
            begin = clock()
            for _ in range(repeat):
                step()
            times[name].append((clock() - begin) / repeat)
    return times


def start(n):
    rng = np.random.default_rng(n)
    return rng.standard_normal((2, n), dtype=np.float32)


def readable(theta, g):
    state = State(theta=theta)

    def step():
        nonlocal state
        state = adam(state, g)

    return step, lambda: state.theta


def in_place(theta, g, block_bytes=BLOCK_BYTES):
    optimizer = InPlaceAdam(theta.copy(), block_bytes=block_bytes)
    return lambda: optimizer.step(g), lambda: optimizer.theta


def pytorch(theta, g, **flag):
    theta = torch.nn.Parameter(torch.tensor(theta))
    theta.grad = torch.tensor(g)
    optimizer = torch.optim.Adam([theta], lr=1e-3, **flag)
    return optimizer.step, lambda: theta.detach().numpy()


def contenders(n):
    """{name: function that makes one step}, checked to make the same steps."""
    theta, g = start(n)
    made = {"readable rule": readable(theta, g),
            "in place": in_place(theta, g, max(theta.nbytes, 4)),
            "in blocks": in_place(theta, g)}
    if torch:
        made |= {"PyTorch single": pytorch(theta, g, foreach=False),
                 "PyTorch foreach": pytorch(theta, g, foreach=True),
                 "PyTorch fused": pytorch(theta, g, fused=True)}
    for step, _ in made.values():
        step(), step()
    expected = made["readable rule"][1]()
    for name, (_, result) in made.items():
        assert np.abs(result() - expected).max() < 1e-6, name
    return {name: step for name, (step, _) in made.items()}


def print_ratios(threads, clock):
    if torch:
        torch.set_num_threads(threads)
    print("in-place numpy, one thread, over the others; "
          f"PyTorch with {threads} thread(s)")
    for n in PRINTED:
        steps = contenders(n)
        del steps["in place"]  # without blocks: for the chapter only
        times = race(steps, n, clock)
        own = median(times.pop("in blocks"))
        print(f"n = {n:5.0e}:  " + ",  ".join(
            f"{name} {own / median(t):.2f}" for name, t in times.items()), flush=True)


def print_blocks():
    sizes = [2**k for k in range(14, 21)]
    print("time over that of the default, by kilobytes of one array's block")
    print("      n  " + "".join(f"{size // 1024:7}" for size in sizes))
    for n in (10**5, 10**6, 10**7):
        theta, g = start(n)
        times = race({size: in_place(theta, g, size)[0] for size in sizes},
                     n, process_time)
        print(f"{n:9.0e}" + "".join(
            f"{median(times[size]) / median(times[BLOCK_BYTES]):7.2f}"
            for size in sizes), flush=True)


def traffic(n):
    """Plain operations on arrays of n numbers: what memory can do."""
    x, y = start(n)
    made = {"x += y": lambda: np.add(x, y, out=x),
            "x *= c": lambda: np.multiply(x, 1.0, out=x),
            "copy": lambda: np.copyto(x, y),
            "x + y": lambda: x + y}  # a new array each time
    if torch:
        a, b = map(torch.tensor, (x, y))
        made |= {"PyTorch x += y": lambda: a.add_(b),
                 "PyTorch x + y": lambda: a + b}
    return made


def add_rows(times, n, threads=1):
    for name, seconds in times.items():
        ROWS.append((name, n, threads, median(seconds), min(seconds),
                     len(seconds)))
        print(f"{name:18}{n:12}{median(seconds) * 1e6:14.3f} µs", flush=True)


def record(default_threads):
    if torch:
        torch.set_num_threads(1)
    for n in RECORDED:
        add_rows(race(contenders(n), n, process_time), n)
    for n in [1] + [round(10**(k / 4)) for k in range(8, 32)]:
        add_rows(race(traffic(n), n, process_time), n)
    from rules import batch

    add_rows(dict(zip(("1000 runs at once", "1000 runs one by one"),
                      batch())), 2)
    if default_threads > 1:
        torch.set_num_threads(default_threads)
        for n in RECORDED:
            steps = {name: step for name, step in contenders(n).items()
                     if "PyTorch" in name}
            add_rows(race(steps, n, perf_counter), n, default_threads)
    machine = os.environ.get("MACHINE", platform.processor())
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    if torch:
        versions += f", PyTorch {torch.__version__}"
    np.savez_compressed(costs.FILE, table=np.array(ROWS, dtype=costs.ROW),
             machine=machine, versions=versions)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--blocks", action="store_true")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    default_threads = torch.get_num_threads() if torch else 1
    if options.blocks:
        print_blocks()
    elif options.record:
        record(default_threads)
    else:
        print_ratios(1, process_time)
        if default_threads > 1:
            print_ratios(default_threads, perf_counter)


if __name__ == "__main__":
    main()
