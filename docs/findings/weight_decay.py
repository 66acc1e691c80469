"""Is weight decay required for grokking? python docs/findings/weight_decay.py [seeds]."""

import sys

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import sweep
from sweep.lanes import absolute, constant, select
from sweep.statistics.intervals import wilson_interval

SEEDS = int(sys.argv[1]) if sys.argv[1:] else 100
DECAY = sweep.Setting("decay", 0.01, "weight decay")
SKIPS = sweep.Setting("skips", 1, "whether batches without a violated row change nothing: 1 or 0")
# An optimizer recognizes a batch without a violated row (target * output < 1) by its gradients of 0. In other batches
# none is 0: units have slopes of TINY where ReLU has 0, and slopes of the loss differ by one part in 10^12, so rows do
# not cancel each other. Weights stay those of ReLU and the hinge loss but for rounding.
TINY = 1e-100


@sweep.loss(surrogate=True)
def hinge_told_apart(y, target):
    """Hinge loss whose slopes are never equal."""
    margin = 1.0 - target * y
    slope = (0.0 - target) * (1.0 + 1e-12 * margin)
    return select(margin > 0.0, margin, 0.0), select(margin > 0.0, slope, 0.0)


@sweep.optimizer(settings=(DECAY, SKIPS))
def decaying_sgd(p, gradient, rate, decay, skips):
    """SGD with weight decay, on request without it for a batch without a violated row."""
    return select((gradient == 0.0) & (skips > 0.0), p, p - rate * (gradient + decay * p))


@sweep.optimizer(settings=(DECAY, SKIPS))
def decaying_sign_sgd(p, gradient, rate, decay, skips):
    """Do the same with the sign of the gradient, which is 0 where rows cancel each other."""
    sign = select(gradient > 0.0, constant(1.0, p), -1.0)
    sign = select(absolute(gradient) < 1e-11, 0.0, sign)
    return select((gradient == 0.0) & (skips > 0.0), p, p - rate * (sign + decay * p))


def sparse_parity(seed, rows):
    """Return patterns of 20 signs whose target is the product of three of them, and 200 others to test with."""
    random = np.random.RandomState(seed)
    secret = random.choice(20, 3, replace=False)

    def patterns(count):
        x = random.choice([-1.0, 1.0], size=(count, 20))
        return {"inputs": x.tolist(), "targets": x[:, secret].prod(axis=1).tolist()}

    return {**patterns(rows), "test": patterns(200)}


def trained(folder, data, optimizer, rate, cells, epochs, **options):
    """Return the result of pairs of a weight decay and whether batches are skipped, stored in a folder of results/."""
    study = sweep.Study(
        name="weight-decay",
        data=data,
        network={"hidden": 200, "activation": "leaky_relu", "negative_slope": TINY},
        initial_weights={"scale": "he", "draw_order": "w.T v"},
        training={
            "loss": "hinge_told_apart",
            "reduction": "mean",
            "optimizer": optimizer,
            "learning_rate": rate,
            "batch": 32,
            "order": "shuffled",
            "max_epochs": epochs,
        },
        zip=[{"decay": [decay for decay, _ in cells], "skips": [skips for _, skips in cells]}],
        **{"seeds": {"base": 43, "count": SEEDS}, **options},
    )
    return sweep.run(study, f"results/weight-decay-{folder}")


TEST, TRAINING = {"criterion": "correct", "criterion_on": "test"}, {"criterion": "correct"}
CELL = ["decay", "skips"]


def first_right(result):
    """Return runs with the first epoch at which all patterns of the criterion are right, or infinity."""
    runs = result.runs([*CELL, "status", "epochs", "test_accuracy"])
    return runs.assign(epochs=runs["epochs"].where(runs["status"] == "converged", np.inf))


def table(by_test, by_training):
    """Return by cell the share of solved runs and its interval, median epochs, and the accuracy at the end."""
    groups = by_test.groupby(CELL)
    solved = groups["epochs"].agg(lambda epochs: np.isfinite(epochs).sum())
    low, high = wilson_interval(solved, groups.size())
    found = pd.DataFrame({"solved %": 100 * solved / SEEDS, "low": 100 * low, "high": 100 * high}).round(1)
    found["training right"] = by_training.groupby(CELL)["epochs"].median()
    found["tests right"] = groups["epochs"].median()
    return found.assign(test_accuracy=(100 * groups["test_accuracy"].mean()).round(1))


BOTH = [(0, 0), (0.001, 1), (0.001, 0), (0.01, 1), (0.01, 0)]
ROWS, OTHER_ROWS = sparse_parity(42, 1000), sparse_parity(43, 500)
CASES = {
    "SGD, rate 0.1, 1,000 rows": (ROWS, "decaying_sgd", 0.1, [*BOTH, (0.05, 1), (0.05, 0), (0.1, 1)], 400),
    "SGD, rate 0.5, 1,000 rows": (ROWS, "decaying_sgd", 0.5, BOTH, 100),
    "SGD, rate 0.1, 500 other rows": (OTHER_ROWS, "decaying_sgd", 0.1, [BOTH[0], *BOTH[3:]], 250),
    "sign-SGD, rate 0.01, 1,000 rows": (ROWS, "decaying_sign_sgd", 0.01, [BOTH[0], *BOTH[3:]], 200),
}
found = []
for k, (name, case) in enumerate(CASES.items(), 1):
    found.append(first_right(trained(k, *case, convergence=TEST)))
    by_training = first_right(trained(f"{k}-training", *case, convergence=TRAINING))
    print(f"{name}, {case[-1]} epochs\n{table(found[-1], by_training).to_string()}\n", flush=True)

LINES = [(0, 0), (0.001, 1), (0.001, 0), (0.01, 0)]
*first, cells, EPOCHS = next(iter(CASES.values()))
SOME = {"seeds": {"base": 43, "count": min(16, SEEDS)}, "convergence": TEST}
WINDOWS = 32  # updates of an epoch
points = {"curves": {"seeds": SOME["seeds"]["count"], "steps": {"geomspace": [WINDOWS, WINDOWS * EPOCHS, 40]}}}
curves = trained("curves", *first, LINES, EPOCHS, record=points, **SOME).learning_curves()
curves["epoch"] = curves["steps"] // WINDOWS
figure = Figure((10, 4.4), layout="constrained")
left, right = figure.subplots(1, 2)
epochs = np.arange(EPOCHS + 1)
for k, (decay, skips) in enumerate(LINES):
    label = f"decay {decay:g}" + (", batches skipped" if skips else "")
    own = curves[(curves["decay"] == decay) & (curves["skips"] == skips)]
    for measure, style in (("train_accuracy", ":"), ("test_accuracy", "-")):
        # The curve of a run ends where all test patterns are right.
        by_epoch = own.pivot(index="epoch", columns="seed", values=measure).sort_index().ffill()
        low, middle, high = 100 * by_epoch.quantile([0.25, 0.5, 0.75], axis=1).to_numpy()
        left.plot(by_epoch.index, middle, style, color=f"C{k}", label=label if style == "-" else None)
        if style == "-":
            left.fill_between(by_epoch.index, low, high, color=f"C{k}", alpha=0.2, lw=0)
    runs = found[0]
    ends = np.sort(runs.loc[(runs["decay"] == decay) & (runs["skips"] == skips), "epochs"])
    solved = np.searchsorted(ends, epochs, side="right")
    low, high = wilson_interval(solved, np.full_like(solved, SEEDS))
    right.step(epochs, 100 * solved / SEEDS, where="post", color=f"C{k}", label=label)
    right.fill_between(epochs, 100 * low, 100 * high, step="post", color=f"C{k}", alpha=0.2, lw=0)
left.set(xscale="log", xlim=(1, EPOCHS), xlabel="epoch", ylabel="%", title="training (dotted) and test accuracy")
right.set(xscale="log", xlim=(1, EPOCHS), xlabel="epoch", ylabel="%", title="runs with all test patterns right so far")
right.legend(frameon=False, loc="center left", fontsize="small")
figure.savefig("weight_decay.png", dpi=110)
