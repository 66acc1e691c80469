"""The command that measures which kernels are fastest on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweep.cli.arguments import PluginOption, SetOption, StudyArgument, interruptible, load

if TYPE_CHECKING:
    from kernels.measured_choices import NetworkClass


def tune(
    study: StudyArgument = "xor",
    changes: SetOption = None,
    plugin: PluginOption = None,
    again: Annotated[bool, typer.Option("--again", help="Measure again what was measured before.")] = False,
) -> None:
    """Find the fastest kernels (training code) for a study.

    Later studies of such networks use them on this machine, unless they are short.
    No result depends on them.
    It takes about a minute for each kind of network, most of it to compile.
    Of more than eight kinds, those whose runs cost most are measured.
    """
    from sweep.training.compiling.tune_study import tune_study

    loaded = load(study, changes)
    with interruptible("what was measured is kept; run the same command again to resume"):
        for tuned in tune_study(loaded, again=again):
            choice = tuned.choice
            found = "no variant is 3 % faster than the first guess"
            if choice.changes:
                found = f"{choice.gain:.2f} times as fast as the first guess with {_changes_text(choice.changes)}"
            how = f"{tuned.n_candidates} variants" if tuned.n_candidates else f"measured on {choice.date}"
            print(f"{_class_text(tuned.network_class)}: {found} ({how})", flush=True)


def _class_text(of: NetworkClass) -> str:
    """Describe a class of networks."""
    sizes = "-".join(map(str, (of.architecture.inputs, *of.sizes, of.architecture.outputs)))
    batch = f", {of.window} of {of.n_patterns} patterns a step" if of.window < of.n_patterns else ""
    return f"{sizes} {of.architecture.activation}, {of.optimizer}, {of.dtype}{batch}"


def _changes_text(changes: dict[str, Any]) -> str:
    """Describe how a tuning differs from the first guess."""
    texts = {
        "row_bytes": "rows of {} bytes",
        "turns": "{} packets in turns",
        "unrolled_units": "units unrolled" if changes.get("unrolled_units") else "units in a loop",
        "constant_limit": "patterns as constants" if changes.get("constant_limit") else "patterns in memory",
        "block_patterns": "blocks of {} patterns",
        "function_rows": "{} rows in an elementary function",
        "integers": "floating-point maxima",
    }
    return ", ".join(texts[name].format(value) for name, value in changes.items())
