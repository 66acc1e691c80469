"""Zoom into the boundary of the rates that train a 2-2-1 network: python docs/findings/boundary.py [points]."""

import sys

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import rankdata

import sweep

SIDE = 10
RATES = ("learning_rate", "output_learning_rate")


def trained_map(study, folder=None):
    """Return which pairs of rates train the network, and how fast its loss falls or grows, as maps."""
    runs = sweep.run(study, folder).runs([*RATES, "initial_loss", "tail_loss", "loss_sum", "inverse_loss_sum"])
    runs = runs.sort_values(list(reversed(RATES)), kind="stable")
    shape = tuple(runs[name].nunique() for name in reversed(RATES))
    trained = (runs["tail_loss"] < runs["initial_loss"]).to_numpy()
    speed = np.where(trained, runs["loss_sum"], runs["inverse_loss_sum"])
    return trained.reshape(shape), speed.reshape(shape)


def colors(trained, speed):
    """Return blue for trained networks and orange for others, darker the slower the loss falls or grows."""
    image = np.empty((*trained.shape, 4))
    for kind, name in ((trained, "Blues"), (~trained, "Oranges")):
        if kind.any():
            image[kind] = mpl.colormaps[name](0.25 + 0.7 * rankdata(speed[kind]) / kind.sum())
    return image


def window(trained):
    """Return the first row and column of the window, a tenth of the map along a side, with most of the boundary."""
    on_boundary = (trained[1:, 1:] != trained[:-1, 1:]) | (trained[1:, 1:] != trained[1:, :-1])
    n = len(trained)
    size = n // SIDE
    firsts = range(0, n - size, size // 2)
    return max((on_boundary[i : i + size, j : j + size].sum(), i, j) for i in firsts for j in firsts)[1:]


def zoom(study_of, ranges, points, folder=None):
    """Draw maps, each of the window with most of the boundary of the map before.

    Parameters
    ----------
    study_of
        A function of the values of both rates that returns the study of a map.
    ranges
        The least and the largest value of each rate, on the first map.
    points
        The number of points along a side, for each of four maps or for one.
    folder
        Where results are stored.

    Returns
    -------
    figure
        The maps.
    first
        Which networks of the first map are trained.
    """
    side = 2 if len(points) > 1 else 1
    figure = Figure((5 * side, 4.7 * side), layout="constrained")
    maps = []
    for n, ax in zip(points, figure.subplots(side, side, squeeze=False).flat, strict=True):
        study = study_of({name: {"geomspace": [*ranges[name], n]} for name in reversed(RATES)})
        trained, speed = trained_map(study, folder and f"{folder}-{len(maps) + 1}")
        maps.append(trained)
        found = sweep.boundary_dimension(trained)
        across, down = (ranges[name] for name in RATES)
        print(f"rates {across[0]:.10g} to {across[1]:.10g} x {down[0]:.10g} to {down[1]:.10g}:", end=" ")
        print(f"{trained.mean():.1%} trained, dimension {found.dimension:.2f} (fit {found.error:.2f})", flush=True)
        ax.imshow(colors(trained, speed), origin="lower", extent=[0, 1, 0, 1], interpolation="antialiased")
        ax.set(xticks=[], yticks=[])
        for end in (0, 1):
            ax.text(end, -0.01, f"{across[end]:.5g}", ha=("left", "right")[end], va="top")
            ax.text(-0.01, end, f"{down[end]:.5g}", ha="right", va=("bottom", "top")[end], rotation=90)
        ax.set(
            xlabel="rate of the hidden layer",
            ylabel="rate of the output layer",
            title=f"dimension {found.dimension:.2f}",
        )
        if len(maps) == len(points):
            break
        row, column = window(trained)
        ax.add_patch(mpl.patches.Rectangle((column / n, row / n), 1 / SIDE, 1 / SIDE, fill=False, lw=1.5))
        for name, first in zip(RATES, (column, row), strict=True):
            rates = np.geomspace(*ranges[name], n)
            ranges = {**ranges, name: (float(rates[first]), float(rates[first + n // SIDE - 1]))}
    return figure, maps[0]


def two_units(parameters):
    """Return the study of a map of a 2-2-1 network."""
    return sweep.Study(
        name="boundary",
        data={"task": "xor", "coding": "pm1"},
        network={"hidden": 2, "activation": "tanh"},
        training={"loss": "mse", "max_steps": 500},
        convergence={"criterion": "none"},
        record={"measures": ["loss_sum", "inverse_loss_sum", "tail_loss"]},
        parameters=parameters,
        seeds={"count": 1},
    )


if __name__ == "__main__":
    points = int(sys.argv[1]) if sys.argv[1:] else 1024
    figure, trained = zoom(two_units, dict.fromkeys(RATES, (0.01, 100.0)), 4 * [points])
    rates = np.geomspace(0.01, 100.0, points)
    first, last = rates[~trained.all(axis=1)][0], rates[trained.any(axis=1)][-1]
    print(f"with any rate of the hidden layer, output rates below {first:.3f} train and none above {last:.3f}")
    figure.savefig("boundary.webp", dpi=110, pil_kwargs={"quality": 80})
