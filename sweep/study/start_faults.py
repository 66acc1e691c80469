"""Faults of initial and frozen weights that depend on the networks or the seeds of a study."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from kernels.start.names import ALL
from sweep.errors import shown, shown_names
from sweep.study.options.explicit_weights import Numbers, Shapes, element_of, shape_of

if TYPE_CHECKING:
    from sweep.study.content import StudyContent

MAX_FLOAT32 = 3.4028234663852886e38


def start_faults(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each fault of initial weights that depends on the networks or the seeds."""
    shapes = study.all_shapes
    if any(study.values_of("mirrored")):
        odd = next((sizes[-1] for sizes in study.hidden_layers if sizes[-1] % 2), None)
        if odd is not None:
            yield (
                f"{study.key_of('mirrored')}: needs an even number of units in the last hidden layer, since one half "
                f"mirrors the other; got {odd}"
            )
    for name in ("scale", "output_scale"):
        named = [value for value in study.values_of(name) if isinstance(value, str)]
        if named and "constant" in study.values_of("distribution"):
            yield (
                f"{study.key_of(name)}: must be a number with {study.key_of('distribution')} 'constant', got "
                f"{named[0]!r}"
            )
    yield from _frozen_faults(study, shapes)
    yield from _idle_draws(study)
    for name, numbers in study.explicit_weights.items():
        if name in study.parameters:
            yield f"parameters.{name}: is also set in initial_weights.values; keep one"
        yield from _misfits(f"initial_weights.values.{name}", name, shape_of(numbers), shapes, study.seeds.count)
        if study.network.dtype == "float32" and _largest(numbers) > MAX_FLOAT32:
            most = f"at most {MAX_FLOAT32!r} with dtype 'float32'"
            yield f"initial_weights.values.{name}: must be {most}, got {_largest(numbers)!r}"
    for name in study.parameters:
        if element_of(name):
            yield from _misfits(f"parameters.{name}", name, (), shapes, study.seeds.count)


def _idle_draws(study: StudyContent) -> Iterator[str]:
    """Yield a sentence for each option of drawing where nothing is drawn."""
    if study.draws_weights:
        return
    for name, field in study.tables.sections["initial_weights"].model_fields.items():
        decides_places = name == "draw_order" and ALL in study.explicit_weights
        values = study.values_of(name)
        if name != "values" and not decides_places and set(values) != {field.default}:
            found = shown(list(values) if name in study.parameters else values[0])
            yield (
                f"{study.key_of(name)}: {found} has no effect, since initial_weights.values sets all parameters; "
                "remove one"
            )


def _frozen_faults(study: StudyContent, shapes: list[Shapes]) -> Iterator[str]:
    """Yield a sentence for frozen parameters that no network has, and for networks whose parameters are all frozen."""
    for freeze in (each for each in study.values_of("freeze") if each != "none"):
        kinds = [{name[0] for name in each} for each in shapes]
        unknown = [name for name in freeze.split() if not any(name in each for each in kinds)]
        if unknown:
            yield f"{study.key_of('freeze')}: must name parameters of the networks, got {unknown[0]} in {freeze!r}"
        elif any(each <= set(freeze.split()) for each in kinds):
            yield f"{study.key_of('freeze')}: must leave parameters to train, got {freeze!r}, all of some network"


def _misfits(key: str, name: str, found: tuple[int, ...], shapes: list[Shapes], n_seeds: int) -> Iterator[str]:
    """Yield a sentence if values of a shape do not fit an array, or an element of it, of some network."""
    array, index = element_of(name) or (name, ())
    of_arrays = [
        each[array] if array != ALL else (sum(map(prod, each.values())),) for each in shapes if array in (*each, ALL)
    ]
    if not of_arrays:
        known = shown_names(list(dict.fromkeys(name for each in shapes for name in each)))
        yield f"{key}: must name parameters of the networks, got {array}; they have {known}"
        return
    for shape in of_arrays:
        if index and any(place >= size for place, size in zip(index, shape, strict=True)):
            yield f"{key}: index must be within the shape {_text(shape)} that {array} has in some network (from 0)"
            return
        whole = () if index else shape
        if found not in ((), whole, (n_seeds, *whole)):
            yield (
                f"{key}: must be one number, or numbers of the shape {_text(whole)}{' or ' * bool(whole)}"
                f"{_text((n_seeds, *whole))} (a row for each seed), got shape {_text(found)}"
            )
            return


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _largest(numbers: Numbers) -> float:
    return max(map(_largest, numbers)) if isinstance(numbers, tuple) else abs(numbers)
