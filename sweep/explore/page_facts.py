"""What the page must know of a map before it draws one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sweep.columns import STATUSES
from sweep.explore.block import SIZES
from sweep.explore.choices import axis_choices, option_choices
from sweep.explore.map_axis import MAX_LEVEL, TILE
from sweep.explore.map_view import Explored, MapView
from sweep.explore.pixel_values import offered_values
from sweep.results.answers import possible_statuses
from sweep.study.model import Study
from sweep.system.formatting import list_text


def page_facts(explored: Explored, view: MapView) -> dict[str, Any]:
    """Return the study, the map with all defaults, and what can be chosen in their place, as JSON."""
    study, fixed = explored.study, view.fixed
    chosen: dict[str, Any] = {"value": view.value.name, "seeds": fixed.seeds.count, "set": view.options}
    for place, axis in (("x", view.x), ("y", view.y)):
        chosen |= {place: axis.name, f"{place}_low": axis.low, f"{place}_high": axis.high, f"{place}_scale": axis.scale}
    return {
        "study": {"name": study.name, "description": " ".join(_sentences(study, view)), "source": explored.source},
        "map": chosen,
        "axes": [vars(each) for each in axis_choices(study, fixed)],
        "options": list(option_choices(study, fixed, (view.x.name, view.y.name))),
        "values": [each.as_choice() for each in offered_values(fixed).values()],
        "statuses": coded_statuses(fixed),
        "tile": TILE,
        "sizes": SIZES,
        "max_level": MAX_LEVEL,
    }


def coded_statuses(study: Study) -> list[dict[str, Any]]:
    """Return the statuses that runs of a study may have, with their codes."""
    return [{"code": STATUSES.index(status), "label": status} for status in possible_statuses(study)]


def _sentences(study: Study, view: MapView) -> Iterator[str]:
    """Yield what the study is, and which options the map varies alone that the study varies together."""
    if study.description:
        yield study.description
    for names in map(list, study.axes):
        if len(names) > 1 and {view.x.name, view.y.name} & set(names):
            yield f"The study sweeps {list_text(names)} together, the map each of them alone."
