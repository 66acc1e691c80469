"""Count the minima of XOR networks with weight decay: python docs/findings/minima.py [seeds]."""

import sys

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

import sweep

SEEDS = int(float(sys.argv[1])) if sys.argv[1:] else 10_000
WIDTHS, DECAYS = [1, 2, 3, 4, 6, 8], [1e-3, 1e-2]
study = sweep.Study(
    name="minima",
    data={"task": "xor", "coding": "pm1"},
    network={"activation": "tanh"},
    training={"loss": "mse", "optimizer": "momentum", "learning_rate": 0.3, "penalty": True, "max_steps": 20_000},
    convergence={"criterion": "none"},
    record={"weights": "final"},
    parameters={"weight_decay": DECAYS, "hidden": WIDTHS},
    seeds={"count": SEEDS},
)
result = sweep.run(study)


def norms_of_units(cell):
    """Return the norms of the weights of each hidden unit, (runs, hidden), from the largest to the smallest."""
    weights = result.weights(cell)
    units = np.concatenate([weights["w"], weights["b"][:, None], weights["v"].transpose(0, 2, 1)], axis=1)
    return -np.sort(-np.sqrt((units**2).sum(axis=1)), axis=1)


rows = result.runs(["cell", "weight_decay", "hidden", "final_loss"])
norms = [norms_of_units(cell) for cell in range(study.n_cells)]
rows["units"] = np.concatenate([(each > 0.01).sum(axis=1) for each in norms])
# Runs that reach the same minimum have equal losses but for the last digits.
rows["loss"] = rows["final_loss"].round(5)
counts = rows.groupby(["weight_decay", "loss", "units", "hidden"]).size().unstack(fill_value=0)
print("runs of each width in %, by loss and number of hidden units that have not decayed to 0:")
print((100 * counts / SEEDS).round(2).to_string())

figure = Figure((9, 3.8), layout="constrained")
left, right = figure.subplots(1, 2)
for decay in DECAYS:
    best = counts.loc[decay].sort_index().loc[counts.loc[decay].index[0], WIDTHS[1:]]
    share = 100 * best / SEEDS
    ends = np.array([binomtest(n, SEEDS).proportion_ci(method="wilson") for n in best]) * 100
    left.errorbar(WIDTHS[1:], share, np.abs(ends.T - share.to_numpy()), marker="o", label=f"weight decay {decay}")
    print(f"in the deepest minimum with weight decay {decay}, %:", end=" ")
    print(
        ", ".join(
            f"{hidden}: {n:.1f} [{a:.1f}, {b:.1f}]" for hidden, n, (a, b) in zip(WIDTHS[1:], share, ends, strict=True)
        )
    )
left.set(xlabel="hidden units", ylabel="runs in the deepest minimum, %", ylim=(0, 102))
left.legend(frameon=False)
cell = len(WIDTHS) - 1
own = rows[rows["cell"] == cell].reset_index(drop=True)
for k, (loss, runs) in enumerate(own.groupby("loss")):
    if len(runs) > SEEDS / 200:
        x = np.arange(WIDTHS[-1]) + 1
        right.bar(x + 0.4 * k - 0.2, np.median(norms[cell][runs.index], axis=0), 0.4, label=f"loss {loss:.5f}")
right.set(
    xlabel=f"hidden unit, of {WIDTHS[-1]}", ylabel="median norm of its weights", title=f"weight decay {DECAYS[0]}"
)
right.legend(frameon=False)
figure.savefig("minima.png", dpi=120)
