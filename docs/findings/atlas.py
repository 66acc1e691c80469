"""Train the atlas of XOR, or take its results folder, and draw it: python docs/findings/atlas.py [DIR]."""

import sys

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest, norm

import sweep

AXES = ["activation", "optimizer", "scale", "hidden", "learning_rate"]
result = sweep.open_result(sys.argv[1], partial=True) if sys.argv[1:] else sweep.run("xor-atlas", "results/xor-atlas")
cells = result.cells
print(f"{len(cells):,} configurations, {cells['n_runs'].sum():,} runs, digest {result.digest}")
print(cells[["n_converged", "n_diverged", "n_stalled", "n_exhausted"]].sum().to_string())


def rate(cell):
    """Return the share of a configuration's runs that converged, with its 95 % interval, and the configuration."""
    low, high = binomtest(int(cell["n_converged"]), int(cell["n_runs"])).proportion_ci(method="exact")
    setting = "{activation} {optimizer} scale {scale:g} rate {learning_rate:.3g}".format_map(cell)
    return f"{cell['convergence_rate']:8.2%} [{low:.2%}, {high:.2%}]  {setting}"


print("\nbest configurations:")
for (hidden, activation), group in cells[cells["hidden"].isin([2, 3, 4, 8])].groupby(["hidden", "activation"]):
    never_fail = (group["convergence_rate"] == 1).sum()
    best = rate(group.loc[group["convergence_rate"].idxmax()])
    print(f"{hidden} units {best}; {never_fail} of {len(group)} {activation} never fail")

print("\nworst configurations of 16 units:")
for _, group in cells[cells["hidden"] == 16].groupby("optimizer"):
    none = (group["convergence_rate"] == 0).sum()
    print(f"{rate(group.loc[group['convergence_rate'].idxmin()])}; {none} of {len(group)} always fail")

# Each configuration beside the one with a unit more, as if their runs were independent.
by_width = cells[cells["hidden"] > 1].set_index(AXES).unstack("hidden")
shares = by_width["convergence_rate"]
variance = shares * (1 - shares) / by_width["n_runs"]
gain = shares.diff(axis=1).stack()
error = np.sqrt((variance + variance.shift(axis=1)).stack())
p = 2 * norm.sf(np.abs(gain / error.where(error > 0, np.inf)))
ranked = np.argsort(p)
significant = np.zeros(len(p), bool)
significant[ranked] = np.logical_and.accumulate(p[ranked] * np.arange(len(p), 0, -1) < 0.05)
helps, harms = ((significant & (sign * gain > 0)).sum() for sign in (1, -1))
print(f"\na unit more helps in {helps:,} and harms in {harms:,} of {len(gain):,} pairs (Holm, 5 %), most of all:")
for activation, optimizer, scale, step, hidden in gain.nsmallest(3).index:
    here = (activation, optimizer, scale, step, hidden)
    change = f"{100 * gain[here]:.2f} ± {196 * error[here]:.2f} points"
    print(f"  {hidden - 1} to {hidden} units: {change}, {activation} {optimizer} scale {scale:g} rate {step:.3g}")

figure = Figure((9.5, 8), layout="constrained")
axes = figure.subplots(3, 3, sharex=True, sharey=True)
for row, activation in zip(axes, ("relu", "tanh", "sigmoid"), strict=True):
    for ax, optimizer in zip(row, ("gd", "momentum", "adam"), strict=True):
        panel = shares.loc[(activation, optimizer, 1.0)]
        mesh = ax.pcolormesh(panel.index, panel.columns, panel.T, vmin=0, vmax=1, shading="nearest", cmap="viridis")
        ax.contour(panel.index, panel.columns, panel.T, levels=[0.99], colors="white", linewidths=1.2)
        ax.set(xscale="log", yticks=[2, 4, 8, 12, 16], title=f"{activation}, {optimizer}")
for ax in axes[-1]:
    ax.set_xlabel("learning rate")
for ax in axes[:, 0]:
    ax.set_ylabel("hidden units")
figure.colorbar(mesh, ax=axes, label="share of runs that converged (white line: 99 %)", aspect=40)
figure.savefig("atlas.png", dpi=110)
