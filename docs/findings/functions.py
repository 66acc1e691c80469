"""Count the functions of random networks and of trained ones: python docs/findings/functions.py [starts] [trained]."""

import sys

import pandas as pd
from matplotlib.figure import Figure

import sweep

STARTS, TRAINED = (int(float(text)) for text in (*sys.argv[1:], "1e8", "1e6")[:2])
AT_ONCE = 2_000_000  # starts of a study, to hold few rows in memory
# The function (bit n: the target of pattern n), the numbers of inputs and hidden units, and the patterns to train on.
CASES = {"2-2-1": (0b0110, 2, 2, [0, 1, 2]), "3-4-1": (0b11101000, 3, 4, [0, 1, 3, 6])}


def learned(function, bits, hidden, train, *, max_steps, count):
    """Return how many of the networks that fit the patterns compute each function."""
    counts = pd.Series(dtype=int)
    for base in range(0, count, AT_ONCE):
        study = sweep.Study(
            name="functions",
            data={"task": "boolean", "bits": bits, "function": function, "coding": "pm1", "train": train},
            network={"hidden": hidden, "activation": "tanh", "output": "sigmoid"},
            training={"loss": "bce", "learning_rate": 0.3, "max_steps": max_steps},
            convergence={"criterion": "correct"},
            record={"measures": ["learned_function"]},
            seeds={"base": base, "count": min(AT_ONCE, count - base)},
        )
        for rows in sweep.run(study).batches(["status", "learned_function"]):
            fits = rows.loc[rows["status"] == "converged", "learned_function"]
            counts = counts.add(fits.value_counts(), fill_value=0)
    # Bits of learned_function are those of the patterns to train on, then of the others.
    order = [*train, *(n for n in range(2**bits) if n not in train)]
    counts.index = [sum((int(code) >> k & 1) << n for k, n in enumerate(order)) for code in counts.index]
    return counts.astype(int).sort_index()


def compared(case):
    """Return by function the shares of random and trained networks that fit, their ratio, and 95 % errors."""
    starts = learned(*case, max_steps=0, count=STARTS)
    found = pd.DataFrame({"random": starts, "trained": learned(*case, max_steps=5_000, count=TRAINED)}).fillna(0)
    n = found.sum()
    shares = found / n
    errors = 1.96 * (shares * (1 - shares) / n) ** 0.5
    shares["ratio"] = shares["trained"] / shares["random"]
    errors["ratio"] = shares["ratio"] * ((errors / shares) ** 2).sum(axis=1, min_count=2) ** 0.5
    shares = shares.sort_values("random", ascending=False)
    return n, shares, errors.loc[shares.index]


figure = Figure((9, 4.2), layout="constrained")
for name, case in CASES.items():
    n, shares, errors = compared(case)
    print(f"\n{name}: {n['random']:,.0f} random and {n['trained']:,.0f} trained networks fit the patterns {case[3]}")
    table = pd.DataFrame({f"{kind} %": 100 * shares[kind] for kind in ("random", "trained")}).round(3)
    table = table.assign(ratio=shares["ratio"].round(2), error=errors["ratio"].round(2)).rename_axis("function")
    print(table.to_string())
left, right = figure.subplots(1, 2)
left.errorbar(*(shares[kind] for kind in ("random", "trained")), errors["trained"], errors["random"], fmt="o", ms=4)
left.axline((0.01, 0.01), slope=1, color="0.6", lw=1, zorder=0)
left.set(xscale="log", yscale="log", ylabel="share of trained networks", title="16 functions that fit 4 of 8 patterns")
right.errorbar(shares["random"], shares["ratio"], errors["ratio"], fmt="o", ms=4)
right.axhline(1, color="0.6", lw=1, zorder=0)
right.set(xscale="log", yscale="log", ylabel="trained / random", title="their ratio")
right.set_yticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
right.minorticks_off()
for function, ratio in shares["ratio"].items():
    if ratio > 1.25:
        right.annotate(f" {function}", (shares["random"][function], ratio), fontsize=8)
for ax in (left, right):
    ax.set_xlabel("share of random networks that fit")
figure.savefig("functions.png", dpi=120)
