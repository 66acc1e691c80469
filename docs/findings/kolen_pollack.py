"""Map which initial weights learn XOR, at two rates, and zoom in: python docs/findings/kolen_pollack.py [points]."""

import sys

import matplotlib as mpl
import numpy as np
from boundary import SIDE, window
from matplotlib.figure import Figure

import sweep

N = int(sys.argv[1]) if sys.argv[1:] else 201
WEIGHTS = ("w[0,1]", "v[1,0]")
WHOLE = dict.fromkeys(WEIGHTS, (-10.0, 10.0))


def epochs_of(ends, rate):
    """Return the number of epochs that each pair of weights takes to learn, infinite where 200 are too few."""
    axes = {name: {"linspace": [*ends[name], N]} for name in reversed(WEIGHTS)}
    runs = sweep.run(sweep.load_study("kolen-pollack", {**axes, "learning_rate": rate})).runs(["status", "steps"])
    return runs["steps"].where(runs["status"] == "converged", np.inf).to_numpy().reshape(N, N)


def draw(ax, ends, rate):
    """Draw a map, and return its image and the ends of the window, a tenth of the side, with most of the boundary."""
    epochs = epochs_of(ends, rate)
    learned = np.isfinite(epochs)
    found = sweep.boundary_dimension(learned)
    across, down = (ends[name] for name in WEIGHTS)
    print(f"rate {rate}, w[0,1] {across[0]:.7g} to {across[1]:.7g}, v[1,0] {down[0]:.7g} to {down[1]:.7g}:", end=" ")
    print(f"{learned.mean():.1%} learn, dimension {found.dimension:.2f} (fit {found.error:.2f})", flush=True)
    image = ax.imshow(
        np.where(learned, epochs, np.nan),
        origin="lower",
        extent=[0, 1, 0, 1],
        interpolation="antialiased",
        cmap=mpl.colormaps["viridis_r"].with_extremes(bad="0.8"),
        vmin=0,
        vmax=200,
    )
    ax.set(xticks=[], yticks=[], xlabel="w[0,1]", ylabel="v[1,0]")
    ax.set_title(f"rate {rate}, dimension {found.dimension:.2f}")
    for end in (0, 1):
        ax.text(end, -0.01, f"{across[end]:.5g}", ha=("left", "right")[end], va="top")
        ax.text(-0.01, end, f"{down[end]:.5g}", ha="right", va=("bottom", "top")[end], rotation=90)
    firsts = dict(zip(WEIGHTS, reversed(window(learned)), strict=True))
    values = {name: np.linspace(*ends[name], N) for name in WEIGHTS}
    return image, {name: (values[name][k].item(), values[name][k + N // SIDE - 1].item()) for name, k in firsts.items()}


figure = Figure((10, 13.5), layout="constrained")
axes = figure.subplots(3, 2)
draw(axes[0, 0], WHOLE, 3.25)
ends = WHOLE
for ax in axes.flat[1:]:
    outer = ends
    image, ends = draw(ax, outer, 6.5)
    if ax is not axes[2, 1]:
        x, y = ((ends[name][0] - outer[name][0]) / (outer[name][1] - outer[name][0]) for name in WEIGHTS)
        ax.add_patch(mpl.patches.Rectangle((x, y), 1 / SIDE, 1 / SIDE, fill=False, ec="red", lw=1.5))
figure.colorbar(
    image, ax=axes, label="epochs until XOR is learned; gray: more than 200", location="bottom", shrink=0.6, pad=0.01
)
figure.savefig("kolen_pollack.webp", dpi=100, pil_kwargs={"quality": 80})
