"""Train eight layers of sigmoids, and each time take one cause away: chapter 16.

    python experiments/depth.py             records all arms, in about twenty minutes on a busy core
    python experiments/depth.py ARM ...     records these arms anew and keeps the others

writes code/descent/recorded/depth.npz. Its reader, `descent.recorded.depth`, has the rules and the minibatches and
says what the record holds. The arms of gradients that are capped, and of descent after a divisor, take five minutes.

Every arm is tuned by the mean log of the training loss on seeds 0 to 9, and what is chosen is trained
again on seeds 100 to 119. A rate per layer trains eight of them longer, at a third of its chosen rate;
with capped gradients it trains all of them at its chosen rate, too.
"""

import os
import sys

for name in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS":
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from descent.recorded.depth import (  # noqa: E402
    ARMS, CAPS, EPOCHS, FILE, FRESH, LONG, RATES, TUNING, depth, layer_sizes, trained,
)


def row(arm, rates):
    """What the record holds of every arm, by its names."""
    scores = np.array([trained(arm, TUNING, rate, EPOCHS)[0][-1] for rate in rates])
    best = rates[np.log(scores).mean(1).argmin()]
    curve, right = trained(arm, FRESH, best, EPOCHS)
    print(arm, best, np.log(scores).mean(1).round(2), np.log(curve[-1]).mean().round(2), flush=True)
    return {"tuning": scores, "chosen": best, "loss": curve.T, "accuracy": right[-1]}


def followed(arm, rate, seeds, epochs):
    """The training loss, (seed, epoch), and the mean size in each epoch of each layer's gradient, (seed, epoch, layer)."""
    seen = []
    curve, _ = trained(arm, seeds, rate, epochs, watch=lambda g: seen.append(layer_sizes(g)))
    return curve.T, np.reshape(seen, (epochs, -1, *seen[0].shape)).mean(1).swapaxes(0, 1)


if __name__ == "__main__":
    named = sys.argv[1:] or list(ARMS)
    if unknown := set(named) - set(ARMS):
        sys.exit(f"no such arm: {', '.join(unknown)}; there are {', '.join(ARMS)}")
    old = depth() if sys.argv[1:] else {"arm": np.array([])}
    had = old["arm"].tolist()
    rows = [row(arm, rates) if arm in named else {
                field: old[field][had.index(arm)] for field in ("tuning", "chosen", "loss", "accuracy")}
            for arm, rates in zip(ARMS, RATES)]
    record = old | {field: np.array([row[field] for row in rows]) for field in rows[0]}
    chosen = dict(zip(ARMS, record["chosen"]))["a rate per layer"]
    if "gradient descent" in named:
        record["descent_fresh"] = [trained("gradient descent", FRESH, rate, EPOCHS)[0][-1] for rate in RATES[0]]
    if "a rate per layer" in named:
        _, record["sizes"] = followed("a rate per layer", chosen, FRESH, EPOCHS)
        record["slow"], sizes = followed("a rate per layer", RATES[1, 1], FRESH[:8], LONG)
        record["slow_growth"] = sizes[:, :, 0].max(1) / sizes[:, 0, 0]
    if {"a rate per layer", *CAPS} & set(named):
        record["capped"], record["capped_sizes"] = zip(*(followed(arm, chosen, FRESH, EPOCHS) for arm in CAPS))
    exact = {"arm": list(ARMS), "rate": RATES, "chosen": record["chosen"]}
    np.savez_compressed(FILE, **{field: np.asarray(values, "float32") for field, values in record.items()
                                 if field not in exact}, **exact)
