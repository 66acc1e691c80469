"""Double descent on MNIST-1D, by width: python docs/findings/double_descent.py [seeds]."""

import sys

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t

import sweep

# Of the source: widths, and test errors in % without label noise and with it, one run each.
WIDTHS, CLEAN, NOISY = (
    [float(number) for number in line.split()]
    for line in (
        "2 3 4 5 7 9 12 16 21 27 36 47 61 80 104 135 177 230 300",
        "68.5 66.8 58.3 61.4 54.2 49.3 50.1 44.6 42.6 41.0 41.7 41.0 41.2 39.6 38.6 38.6 38.1 37.1 37.3",
        "69.6 67.5 62.6 57.5 54.8 49.0 50.3 47.2 50.8 50.7 52.8 54.1 54.0 52.1 50.2 48.4 47.9 46.5 45.5",
    )
)


def interval(values):
    """Return the mean of each column and the half width of its interval at 95 %."""
    return values.mean(), t.ppf(0.975, len(values) - 1) * values.sem()


study = sweep.load_study("mnist1d", {"seeds.count": int(sys.argv[1])} if sys.argv[1:] else {})
runs = sweep.run(study, f"results/{study.name}").runs()
runs["width"] = runs["hidden"].str.partition("-")[0].astype(int)
runs["error"] = 100 * (1 - runs["test_accuracy"])
by_seed = runs.pivot(index="seed", columns="width", values=["error", "test_loss", "final_loss"])
means, margins = interval(by_seed)
errors = by_seed["error"]
table = pd.DataFrame({"error %": means["error"], "+-": margins["error"]})
table["published"] = pd.Series(NOISY, WIDTHS)
table["test loss"], table["training loss"] = means["test_loss"], means["final_loss"]
print(table.round(2).to_string())
least = min((width for width in errors if width < 30), key=lambda width: means["error"][width])
worst = max((width for width in errors if width > least), key=lambda width: means["error"][width])
for first, last in ((least, worst), (worst, errors.columns[-1])):
    change, margin = interval(errors[last] - errors[first])
    print(f"from {first} to {last} units: {change:+.2f} +- {margin:.2f}")

figure = Figure((7, 4.4), layout="constrained")
ax = figure.subplots()
ax.plot(WIDTHS, NOISY, "o", color="C1", mfc="none", label="published, one run each")
ax.plot(WIDTHS, CLEAN, "o", color="0.6", mfc="none", label="published, without label noise")
ax.plot(errors.columns, errors.T, ".", color="C0", alpha=0.25, ms=4)
ax.errorbar(errors.columns, means["error"], margins["error"], color="C0", capsize=3, label="mean of the seeds, 95 %")
ticks = WIDTHS[::2]
ax.set(xscale="log", xlabel="units of each hidden layer", ylabel="error, %", xticks=ticks, xticklabels=map(int, ticks))
ax.minorticks_off()
ax.legend(frameon=False)
figure.savefig("double_descent.png", dpi=110)
