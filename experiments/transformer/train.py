"""Train one small transformer with every setting of settings.py.

    python corpus.py                          # once: makes tokens.npz
    python train.py --device cpu --tiny       # every phase in miniature, no GPU
    python train.py check A B C Bw Cw         # all 601 runs, one GPU

`check` compares 20 steps of each optimizer with torch.optim.  A finished run is appended to
OUT/runs_TAG.jsonl at once and never repeated, so that an interrupted job continues where it stopped;
tables.py makes the book's tables of these files.
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from corpus import HERE, VOCABULARY, evaluation_windows, frequency_groups
from optimizers import RULES, hyper_table, stepper
from settings import PHASES, final, key, load, setting

UPDATES_AT = (1, 2, 3, 5, 7, 10, 12, 15, 20, 30, 50, 70, 100, 150, 200, 300)     # and the last

# ------------------------------------------------------------ the model: a pre-norm GPT, untied


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x):
        batch, length, width = x.shape
        qkv = self.qkv(self.ln1(x)).view(batch, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class GPT(nn.Module):
    def __init__(self, vocabulary, context, width, layers, heads):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.head = nn.Linear(width, vocabulary, bias=False)     # all after these three is 'hidden'
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln = nn.LayerNorm(width)
        for name, w in self.named_parameters():                  # GPT-2's initialisation
            if w.dim() == 2:
                residual = name.endswith(("proj.weight", "down.weight"))
                nn.init.normal_(w, std=0.02 / math.sqrt(2 * layers) if residual else 0.02)

    def forward(self, x):
        h = self.tok(x) + self.pos.weight
        for block in self.blocks:
            h = block(h)
        return self.head(self.ln(h))


def token_losses(model, x, y):
    with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
        logits = model(x)
    return F.cross_entropy(logits.float().flatten(0, 1), y.flatten(), reduction="none")


# ------------------------------------------------------------ data and trainer


class Data:
    """The training tokens, the windows for evaluation, and the frequency group of each token."""

    def __init__(self, options):
        path = options.data / "tokens.npz"
        if not path.exists():
            raise SystemExit(f"{path} is missing: run corpus.py first")
        ids = {split: tokens.astype(np.int64) for split, tokens in np.load(path).items()}
        self.train, self.eval = torch.from_numpy(ids["train"]).to(options.device), {}
        for split, tokens in ids.items():
            at = evaluation_windows(len(tokens), options.eval_batches * options.batch, options.context)
            self.eval[split] = torch.from_numpy(tokens[at]).to(options.device)
        counts = np.bincount(ids["train"], minlength=VOCABULARY)
        self.group = torch.from_numpy(frequency_groups(counts)).to(options.device)


class Trainer:
    """One model, its optimizer's state and its records, all on the device.

    On a GPU each half of a step is a CUDA graph on a stream of this trainer, so that several
    trainers share the GPU from one process.
    """

    def __init__(self, options, data, functions):
        self.options, self.data, self.functions = options, data, functions
        self.graphs, self.seeds = {}, {}
        self.cuda = options.device == "cuda"
        self.stream = torch.cuda.Stream() if self.cuda else None
        self.model = self.new_model(0).to(options.device)
        self.params = list(self.model.parameters())
        sizes = [w.numel() for w in self.params]
        self.hidden = sum(sizes[:3])
        self.p = torch.cat([w.detach().flatten() for w in self.params])
        for w, part in zip(self.params, self.p.split(sizes)):
            w.data = part.view_as(w)                     # the parameters become views of p
        self.g, self.m, self.v = (torch.zeros_like(self.p) for _ in range(3))
        self.t = torch.zeros(1, dtype=torch.long, device=options.device)
        self.loss = torch.zeros(1, device=options.device)
        self.table, self.log = (torch.zeros(options.steps, n, device=options.device) for n in (9, 7))
        self.starts = torch.zeros(options.steps, options.batch, dtype=torch.long, device=options.device)
        self.window = torch.arange(options.context + 1, device=options.device)
        self.graphs["gradient"] = self.record(self.gradient)

    def new_model(self, seed):
        torch.manual_seed(seed)
        o = self.options
        return GPT(VOCABULARY, o.context, o.width, o.layers, o.heads)

    def gradient(self):
        xy = self.data.train[self.starts.index_select(0, self.t).view(-1, 1) + self.window]
        loss = self.losses(xy).mean()
        self.g.copy_(torch.cat([d.flatten() for d in torch.autograd.grad(loss, self.params)]))
        self.loss.copy_(loss.detach())

    def losses(self, xy):
        return self.functions["losses"](self.model, xy[:, :-1].contiguous(), xy[:, 1:].contiguous())

    def update(self, rule):
        row = self.table.index_select(0, self.t).squeeze(0)
        recorded = self.functions[rule](self.p, self.g, self.m, self.v, row, self.hidden)
        self.log.index_copy_(0, self.t, torch.cat([self.loss, recorded]).view(1, -1))
        self.t += 1

    def record(self, function):
        """On a GPU the CUDA graph of a function, elsewhere the function."""
        if not self.cuda:
            return function
        self.t.zero_()
        torch.cuda.synchronize()
        with torch.cuda.stream(self.stream):
            for _ in range(3):                           # compile and warm up outside the graph
                function()
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            function()
        return graph.replay

    def reset(self, setting):
        """Go to the start of a run: the seed decides initial parameters and batches."""
        self.rule, seed, o = setting["rule"], setting["seed"], self.options
        if self.rule not in self.graphs:
            self.graphs[self.rule] = self.record(lambda rule=self.rule: self.update(rule))
        if seed not in self.seeds:
            start = torch.cat([w.detach().flatten() for w in self.new_model(seed).parameters()])
            batches = np.random.default_rng(1000 + seed).integers(
                0, len(self.data.train) - o.context - 1, (o.steps, o.batch))
            self.seeds[seed] = start.to(o.device), torch.from_numpy(batches).to(o.device)
        for tensor, value in zip((self.p, self.starts), self.seeds[seed]):
            tensor.copy_(value)
        for tensor in (self.m, self.v, self.t, self.log):
            tensor.zero_()
        self.table.copy_(hyper_table(setting, o.steps))
        if self.cuda:
            torch.cuda.synchronize()

    def step(self):
        with torch.cuda.stream(self.stream):             # without a stream: no effect
            self.graphs["gradient"]()
            self.graphs[self.rule]()

    @torch.no_grad()
    def evaluate(self, split):
        """Summed loss and number of target tokens of each frequency group, shape (2, 11)."""
        with torch.cuda.stream(self.stream):
            sums = torch.zeros(2, 11, dtype=torch.float64, device=self.options.device)
            for xy in self.data.eval[split].split(self.options.batch):
                loss = self.losses(xy).double()
                group = self.data.group[xy[:, 1:]].flatten()
                sums[0].index_add_(0, group, loss)
                sums[1].index_add_(0, group, torch.ones_like(loss))
        return sums


# ------------------------------------------------------------ running a list of settings


def short(x, digits=5):
    return float(f"{x:.{digits}g}") if math.isfinite(x) else None


def summary(trainer, setting, validation, training):
    """What is recorded of a run, as it stands in runs_TAG.jsonl."""
    log = trainer.log[:setting["steps"]].double().cpu().numpy()
    loss, limit, last = log[:, 0], math.log(VOCABULARY), setting["steps"]
    ends = {"val": validation[-1][1], "train": training}
    curve_at = [t for t in range(1, last + 1) if t == 1 or t % (5 if t <= 100 else 20) == 0]
    updates_at = [t for t in range(1, last + 1) if t in UPDATES_AT or t == last]
    return dict(
        setting, val=[[t, short((sums[0].sum() / sums[1].sum()).item())] for t, sums in validation],
        train_end=short(loss[-50:].mean()), peak=short(loss[2:].max()),
        above=int((~(loss[5:] <= limit)).sum()),
        diverged=bool(not np.isfinite(loss).all() or loss[-20:].mean() > limit),
        curve=[[t, short(loss[t - 1])] for t in curve_at],
        updates=[[t] + [short(x, 4) for x in log[t - 1, 1:]] for t in updates_at],
        groups={split: [short(x) for x in (sums[0] / sums[1]).tolist()] for split, sums in ends.items()})


def execute(settings, trainers, options, done):
    """Run what is not done yet, len(trainers) runs at a time, in lockstep."""
    todo = [s for s in settings if key(s) not in done]
    todo = todo[::len(todo) // 4 + 1] if options.tiny else todo
    for i in range(0, len(todo), len(trainers)):
        pairs, begin = list(zip(trainers, todo[i:i + len(trainers)])), time.time()
        validations = [[] for _ in pairs]
        for trainer, s in pairs:
            trainer.reset(s)
        for t in range(1, todo[i]["steps"] + 1):
            for trainer, _ in pairs:
                trainer.step()
            if t % 100 == 0 or t == todo[i]["steps"]:
                for (trainer, _), validation in zip(pairs, validations):
                    validation.append((t, trainer.evaluate("val")))
        trainings = [trainer.evaluate("train") for trainer, _ in pairs]
        if options.device == "cuda":
            torch.cuda.synchronize()
        for (trainer, s), validation, training in zip(pairs, validations, trainings):
            result = dict(summary(trainer, s, validation, training),
                          seconds=round(time.time() - begin, 2), at_once=len(pairs))
            done[key(result)] = result
            with open(options.out / f"runs_{options.tag}.jsonl", "a") as file:
                file.write(json.dumps(result, separators=(",", ":")) + "\n")
            print(f"{s['rule']:8} lr {s['lr']:<6g} b {s['b1']:g} {s['b2']:g} {s['correction']:4} "
                  f"w{s['warmup']} s{s['seed']}: val {final(result):.4f} train {result['train_end']} "
                  f"[{result['seconds']} s]", flush=True)
    return True


# ------------------------------------------------------------ check and command line


def check(trainer):
    """20 steps on the network's own gradients, the same for our rules and for torch.optim."""
    cases = {"sgd": ("sgd", torch.optim.SGD, {}),
             "momentum": ("momentum", torch.optim.SGD, dict(momentum=0.9)),
             "rmsprop": ("rmsprop", torch.optim.RMSprop, dict(alpha=0.999)),
             "centered": ("centered", torch.optim.RMSprop, dict(alpha=0.999, centered=True)),
             "adam": ("adam", torch.optim.Adam, {}),
             "adamw": ("adam", torch.optim.AdamW, dict(weight_decay=0.1))}
    for name, (rule, optimizer, options) in cases.items():
        trainer.reset(setting(rule, 1e-3, 0.9, 0.999, "both", wd=options.get("weight_decay", 0)))
        start, theirs = trainer.p.clone(), nn.Parameter(trainer.p.clone())
        steps = optimizer([theirs], lr=1e-3, **options)
        for _ in range(20):
            trainer.step()
            if trainer.cuda:
                torch.cuda.synchronize()
            theirs.grad = trainer.g.clone()
            steps.step()
        theirs = theirs.detach()
        apart = (trainer.p - theirs).abs().max().item()
        print(f"check {name:9} 20 steps: largest difference over largest parameter "
              f"{apart / theirs.abs().max().item():.1e}, over largest distance moved "
              f"{apart / (theirs - start).abs().max().item():.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("phases", nargs="*", default=["check", *PHASES],
                        help="check, A, B, C; Bw and Cw are B and C with a warm-up of 100 steps")
    sizes = dict(steps=600, steps_c=400, width=384, layers=6, heads=6, context=256, batch=64,
                 eval_batches=11, workers=2)
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tag", default="0", help="results go to OUT/runs_TAG.jsonl")
    parser.add_argument("--data", type=Path, default=HERE, help="folder with tokens.npz")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--tiny", action="store_true", help="a miniature of every phase")
    options = parser.parse_args()
    if options.tiny:
        vars(options).update(width=32, layers=2, heads=2, context=32, batch=4, eval_batches=1,
                             workers=1, steps=20, steps_c=8)
        torch.set_num_threads(1)             # such small matrices gain nothing from more
    begin = time.time()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_float32_matmul_precision("high")
    compiled = torch.compile if options.device == "cuda" else (lambda function: function)
    functions = {name: compiled(stepper(rule)) for name, rule in RULES.items()}
    functions["losses"] = compiled(token_losses)
    data, done = Data(options), {} if options.tiny else load(options.out)
    trainers = [Trainer(options, data, functions) for _ in range(options.workers)]
    print(f"torch {torch.__version__}, {len(trainers[0].p):,} parameters", flush=True)
    for phase in options.phases:
        if phase == "check":
            check(trainers[0])
        else:
            PHASES[phase](options, lambda todo: execute(todo, trainers, options, done), done)
        print(f"phase {phase} ends at {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
