"""What the page must know of a map before it draws one."""

from __future__ import annotations

from typing import Any

from sweep.columns import STATUSES
from sweep.explore.block import SIZES
from sweep.explore.choices import axis_choices, option_choices
from sweep.explore.map_axis import MAX_LEVEL, TILE
from sweep.explore.map_view import Explored, MapView
from sweep.explore.pixel_values import offered_values


def page_facts(explored: Explored, view: MapView) -> dict[str, Any]:
    """Return the study, the map with all defaults, and what can be chosen in their place, as JSON."""
    study, fixed = explored.study, view.fixed
    chosen: dict[str, Any] = {"value": view.value.name, "seeds": fixed.seeds.count, "set": view.options}
    for place in "xy":
        axis = getattr(view, place)
        chosen |= {place: axis.name, f"{place}_low": axis.low, f"{place}_high": axis.high, f"{place}_scale": axis.scale}
    return {
        "study": {"name": study.name, "description": study.description, "source": explored.source},
        "map": chosen,
        "axes": [vars(each) for each in axis_choices(study, fixed)],
        "options": list(option_choices(study, fixed, (view.x.name, view.y.name))),
        "values": [each.as_choice() for each in offered_values(fixed).values()],
        "statuses": [{"code": code, "label": status} for code, status in enumerate(STATUSES)],
        "tile": TILE,
        "sizes": SIZES,
        "max_level": MAX_LEVEL,
    }
