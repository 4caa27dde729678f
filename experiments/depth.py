"""Train eight layers of sigmoids, and each time take one cause away: chapter 16.

    python experiments/depth.py

writes code/descent/recorded/depth.npz, in about a quarter of an hour on a busy core. Its reader,
`descent.recorded.depth`, has the rules and the minibatches and says what the record holds.

Every arm is tuned by the mean log of the training loss on seeds 0 to 9, and what is chosen is trained
again on seeds 100 to 119. A rate per layer trains eight of them longer, at a third of its chosen rate.
"""

import os

for name in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS":
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from descent.recorded.depth import ARMS, EPOCHS, FILE, FRESH, LONG, RATES, TUNING, layer_sizes, trained  # noqa: E402

if __name__ == "__main__":
    watched = []
    tuning = np.full((len(ARMS), len(RATES[0]), len(TUNING)), np.nan)
    best, loss, accuracy = [], [], []
    for arm, rates, scores in zip(ARMS, RATES, tuning):
        for rate, row in zip(rates, scores):
            row[:] = trained(arm, TUNING, rate, EPOCHS)[0][-1]
        best.append(rates[np.log(scores).mean(1).argmin()])
        watch = {"watch": lambda g: watched.append(layer_sizes(g))} if arm == "a rate per layer" else {}
        curve, right = trained(arm, FRESH, best[-1], EPOCHS, **watch)
        loss.append(curve.T)
        accuracy.append(right[-1])
        print(arm, best[-1], np.log(scores).mean(1).round(2), np.log(curve[-1]).mean().round(2), flush=True)
    plain = [trained("gradient descent", FRESH, rate, EPOCHS)[0][-1] for rate in RATES[0]]
    sizes = np.array(watched).reshape(EPOCHS, -1, *watched[0].shape).mean(1).swapaxes(0, 1)  # seed, epoch, layer
    firsts = []
    slow, _ = trained("a rate per layer", FRESH[:8], RATES[1, 1], LONG,
                      watch=lambda g: firsts.append(layer_sizes(g)[:, 0]))
    firsts = np.array(firsts).reshape(LONG, -1, 8).mean(1)  # epoch, seed
    np.savez_compressed(FILE, arm=list(ARMS), rate=RATES, tuning=tuning.astype("float32"), chosen=best,
                        loss=np.array(loss, "float32"), accuracy=np.array(accuracy, "float32"),
                        descent_fresh=np.array(plain, "float32"),
                        sizes=sizes.astype("float32"), slow=slow.T.astype("float32"),
                        slow_growth=(firsts.max(0) / firsts[0]).astype("float32"))
