"""Words of one's own that this process knows, by a key that tells their source.

A recipe names such a word by its key, so kernels of different sources never meet, in this process or on disk, and a
word that is declared anew under its old name is another word.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from kernels import vocabulary
from kernels.own.infinity import keeps_infinity
from kernels.own.source import Place, facts_of, read_source
from kernels.words.records import Activation, Loss, Optimizer, Setting
from kernels.words.value_of import ValueOf

Record: TypeAlias = Activation | Loss | Optimizer

KINDS = ("activation", "loss", "optimizer")


class Declaration(NamedTuple):
    """What a study tells of a word of one's own: everything but its code.

    Attributes
    ----------
    kind
        One of :data:`KINDS`.
    name
    sha256
        Of the source.
    settings
    elementary
        Whether an activation is a long chain of operations.
    full_batch
        Whether a step of an optimizer must take all patterns.
    operations
        About how many operations of lanes an update of one parameter takes.
    """

    kind: str
    name: str
    sha256: str
    settings: tuple[Setting, ...] = ()
    elementary: bool = False
    full_batch: bool = False
    operations: int = 0

    @property
    def key(self) -> str:
        """The name of the word in a recipe."""
        return f"{self.name} {self.sha256}"


class OwnWord(NamedTuple):
    """A word of one's own with its code.

    Attributes
    ----------
    declaration
    source
        All that it is made of; see :mod:`kernels.own.source`.
    places
        Where the user has its functions.
    functions
        By their part in the word: ``"function"``, ``"chain"``, ``"tick"`` or ``"factors"``.
    options
        Other arguments of its decorator, as plain values, and what follows from the source.
    """

    declaration: Declaration
    source: str
    places: Mapping[str, Place]
    functions: Mapping[str, Callable[..., Any]]
    options: Mapping[str, Any]


# Options of decorators that a source leaves out where they are these.
_OPTIONS: dict[str, dict[str, Any]] = {
    "activation": {"surrogate": False},
    "loss": {"surrogate": False},
    "optimizer": {"states": (), "clocks": (), "full_batch": False, "keeps_infinity": False},
}

# The words of this process by key, and by name those declared last.
_BY_KEY: dict[str, OwnWord] = {}
_BY_NAME: dict[str, OwnWord] = {}


def declared_words() -> dict[str, OwnWord]:
    """Return the words that this process knows by name."""
    return dict(_BY_NAME)


def word_of(key: str) -> OwnWord | None:
    """Return the word of a key, if this process has its code."""
    return _BY_KEY.get(key)


def add_source(source: str, places: Mapping[str, Sequence[Any]]) -> OwnWord:
    """Make a word known by its source, which another process of this user may have sent, and return it.

    Parameters
    ----------
    source
        See :mod:`kernels.own.source`.
    places
        File and line of each function, where the user has it.
    """
    known = {name: Place(*place) for name, place in places.items()}
    found, declared = read_source(source, known)
    kind, name = declared["kind"], declared["name"]
    functions = {role: found[each] for role, each in declared["functions"].items()}
    ours = vocabulary.OWN
    settings = tuple(
        ours[each] if isinstance(each, str) else Setting(**{"meaning": "", **each}) for each in declared["settings"]
    )
    facts = facts_of(source, declared["functions"])
    facts["elementary"] &= kind == "activation" and not settings
    facts["operations"] *= kind == "optimizer"
    options = {**_OPTIONS[kind], **declared["options"], **facts}
    if kind == "optimizer" and not options["keeps_infinity"]:
        update, n_states = declared["functions"]["function"], len(options["states"])
        options["keeps_infinity"] = keeps_infinity(source, update, n_states)
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    flags = {flag: options[flag] for flag in ("elementary", "full_batch", "operations") if flag in options}
    word = OwnWord(Declaration(kind, name, sha256, settings, **flags), source, known, functions, options)
    _BY_KEY[word.declaration.key] = _BY_NAME[name] = word
    vocabulary.OWN_WORDS[word.declaration.key] = _record(word.declaration, functions, options)
    return word


def record_of(declaration: Declaration) -> Record:
    """Return the record of a word, with its code if this process has it."""
    record: Record = vocabulary.OWN_WORDS.get(declaration.key) or _record(declaration, {}, {})
    return record


def _record(
    declaration: Declaration, functions: Mapping[str, Callable[..., Any]], options: Mapping[str, Any]
) -> Record:
    """Return the record of a word."""
    function, settings = functions.get("function", _lacks_code), declaration.settings
    if declaration.kind == "loss":
        return Loss(ValueOf(function, 0, skipped=1), ValueOf(function, 1), settings=settings)
    if declaration.kind == "activation":
        told: dict[str, Any] = {"settings": settings, "elementary": declaration.elementary}
        if "chain" in functions:
            return Activation(function, chain=functions["chain"], **told)
        return Activation(ValueOf(function, 0), function, **told)
    names = ("states", "clocks", "n_factors", "keeps_infinity")
    given = {name: options[name] for name in names if name in options}
    given |= {name: functions[name] for name in ("tick", "factors") if name in functions}
    given |= {"full_batch": declaration.full_batch, "operations": declaration.operations}
    return Optimizer(function, settings=settings, **given)


def _lacks_code(*arguments: Any) -> Any:
    raise AssertionError("a word without code is never computed")
