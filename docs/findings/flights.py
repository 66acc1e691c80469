"""Fly into three maps, to where most of the boundary is, and draw what one sees: python docs/findings/flights.py."""

from pathlib import Path
from urllib.parse import urlencode

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import rankdata

import sweep
from sweep.explore.block import Block
from sweep.explore.map_view import Explored

SIDE = 256  # pixels along a side of a view
STEP = 2  # levels from one view to the next
SHOWN = (0, 4, 8, 16, 28, 42)  # levels that are drawn
LAST = 42

FOLDER = Path(__file__).parent / "flights"
FLIGHTS = {
    "rates": (str(FOLDER / "rates.toml"), {"x": "learning_rate", "y": "output_learning_rate", "value": "trainability"}),
    "weights": ("kolen-pollack", {"x": "w[0,1]", "y": "v[1,0]", "value": "steps", "set.learning_rate": "6.5"}),
    "factorization": (str(FOLDER / "factorization.toml"), {"x": "w[0,0]", "y": "v[0,0]", "value": "steps"}),
}


def seen(view, level, column, row):
    """Return the value and the status of the pixels around one, and how many values of each axis differ."""
    first = [int(np.clip(place - SIDE // 2, 0, (256 << level) - SIDE)) for place in (column, row)]
    mapped = view.study_of(Block.of_view(level, *first, SIDE, SIDE))
    planes = mapped.arrange(view.value.planes(sweep.run(mapped.study, progress=False)))
    return planes["value"], planes["status"], first, (len(set(mapped.across)), len(set(mapped.down)))


def trained(value, status, name):
    """Return which pixels are trained."""
    return value < 0 if name == "rates" else status == 0


def target(is_trained):
    """Return the pixel of the boundary with most of the boundary around it, and the boundary's share of that part."""
    edge = np.zeros(is_trained.shape)
    edge[:-1, :-1] = (is_trained[1:, :-1] != is_trained[:-1, :-1]) | (is_trained[:-1, 1:] != is_trained[:-1, :-1])
    sums = np.pad(edge.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    part = SIDE >> STEP
    around = sums[part:, part:] - sums[:-part, part:] - sums[part:, :-part] + sums[:-part, :-part]
    row, column = (int(each) for each in np.unravel_index(around.argmax(), around.shape))
    on_edge = np.argwhere(edge[row : row + part, column : column + part])
    if not len(on_edge):
        return None
    nearest = on_edge[((on_edge - part / 2) ** 2).sum(1).argmin()]
    return row + int(nearest[0]), column + int(nearest[1])


def picture(value, status, name):
    """Return the colors of a view, by rank: blue for trained networks and orange for others, or steps."""
    image = np.full((*value.shape, 4), mpl.colors.to_rgba("0.85"))
    of = trained(value, status, name)
    if name == "rates":
        for kind, ramp, numbers in ((of, "Blues", -value), (~of, "Oranges", value)):
            if kind.any():
                image[kind] = mpl.colormaps[ramp](0.25 + 0.7 * rankdata(numbers[kind]) / kind.sum())
    elif of.any():
        image[of] = mpl.colormaps["viridis_r"](rankdata(value[of]) / of.sum())
    return image


def fly(name, axes):
    """Draw views ever deeper, and print the address of the last level whose pixels differ."""
    source, query = FLIGHTS[name]
    view = Explored(source).map(query)
    column = row = SIDE // 2
    shown = dict(zip(SHOWN, axes, strict=True))
    deepest = None
    for level in range(0, LAST + 1, STEP):
        value, status, (left, top), distinct = seen(view, level, column, row)
        if min(distinct) == SIDE:
            deepest = level, column, row
        if level in shown:
            ax = shown[level]
            ax.imshow(picture(value, status, name), interpolation="nearest")
            ax.set(xticks=[], yticks=[], title=f"level {level}" + ("" if min(distinct) == SIDE else ", limit"))
        share = trained(value, status, name).mean()
        print(f"{name} level {level}: {share:.1%} trained, {distinct[0]} x {distinct[1]} values", flush=True)
        found = target(trained(value, status, name))
        if found is None:
            break
        column, row = ((place << STEP) + (1 << STEP) // 2 for place in (left + found[1], top + found[0]))
    z, column, row = deepest
    command = ["sweep explore", Path(source).name if "/" in source else source]
    print(f"{' '.join(command)}, #{urlencode({**query, 'z': z, 'column': column, 'row': row})}")


figure = Figure((10, 5.6), layout="constrained")
for name, axes in zip(FLIGHTS, figure.subplots(len(FLIGHTS), len(SHOWN)), strict=True):
    fly(name, axes)
    axes[0].set_ylabel(name)
figure.savefig("flights.webp", dpi=130, pil_kwargs={"quality": 80})
