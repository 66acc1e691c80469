"""Changes of a study, from the command line and from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError, load_study
from sweep.study.load import changed_study, parse_changes
from tests.sweep.support import command, make_study, refused, write_study


def changed(source: Path | str, *assignments: str) -> Study:
    """Load a study with changes as ``--set`` makes them."""
    return load_study(source, parse_changes(assignments))


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("hidden=3", {"hidden": 3}),
        ("seeds.count=40", {"seeds.count": 40}),
        ("learning_rate=0.1,0.3", {"learning_rate": [0.1, 0.3]}),
        ("learning_rate = 1e-3 , 1", {"learning_rate": [1e-3, 1]}),
        ("freeze=b w[0, 1],none", {"freeze": ["b w[0, 1]", "none"]}),
        ('share="v[0,0] v[1,0]"', {"share": "v[0,0] v[1,0]"}),
        ("bias=true,false", {"bias": [True, False]}),
        ("activation=relu,tanh", {"activation": ["relu", "tanh"]}),
        ('activation="relu"', {"activation": "relu"}),
        ("hidden=[2, 4]", {"hidden": [2, 4]}),
        ("hidden={ range = [2, 4] }", {"hidden": {"range": [2, 4]}}),
        ("learning_rate={geomspace=[1e-3,1.0,13]}", {"learning_rate": {"geomspace": [1e-3, 1.0, 13]}}),
        ("targets=[[0], [1]]", {"targets": [[0], [1]]}),
        ("file=[1].csv", {"file": "[1].csv"}),
        ("learning_rate=.5", {"learning_rate": 0.5}),
        ("learning_rate=.\u0665", {"learning_rate": ".\u0665"}),
        ("hidden=1_000", {"hidden": 1000}),
        ("file=a=b.csv", {"file": "a=b.csv"}),
        ("description=", {"description": ""}),
    ],
)
def test_parse_changes(assignment: str, expected: dict[str, Any]) -> None:
    """Values are read as TOML; other values are text, and commas make lists."""
    assert parse_changes([assignment]) == expected


def test_arguments_of_held_out_patterns(tmp_path: Path) -> None:
    """One value of a test task replaces that in its table or the swept ones; several are swept."""
    data = 'task = "moons"\nn = 3\ntest = { task = "moons", n = 4, noise = 0.5 }'
    path = tmp_path / "study.toml"
    path.write_text(f"[data]\n{data}\n[parameters]\nhidden = [2]\nlearning_rate = [0.1]\n")
    swept = changed(path, "test_noise=0.2,0.3", "data.test_data_seed=4")
    assert swept.parameters["test_noise"] == (0.2, 0.3)
    tests = {"task": "moons", "n": 4, "noise": 0.3, "data_seed": 4}
    expected = make_study(hidden=[2], learning_rate=[0.1], data={"task": "moons", "n": 3, "test": tests})
    assert swept.patterns_of(1) == changed(path, "test_noise=0.3", "test_data_seed=4").data.only == expected.data.only
    assert changed(path, "test_n=6").data.n_tests == 12
    with pytest.raises(StudyError, match=r"test_noise needs a table data\.test, which the study does not have"):
        changed("xor", "test_noise=0.2")


HINTON = {
    ("criterion=none",): (["convergence.threshold", "convergence.from_step"], 1),
    ("optimizer=gd",): ([], 1),  # its momentum has the default
    ("optimizer=gd", "momentum=0.9"): ([], 1),  # by default
    ("criterion=none", "from_step=0"): (["convergence.threshold"], 1),
    ("activation=tanh", "loss=sse", "reduction=sum", "stop=before"): ([], 1),
}


@pytest.mark.parametrize("assignments", HINTON)
def test_keys_that_lose_their_effect(assignments: tuple[str, ...]) -> None:
    """A change that leaves other keys without effect removes them; options at their defaults are never refused."""
    study, left_out = changed_study("hinton-xor", parse_changes(assignments))
    assert (left_out, study.n_cells) == HINTON[assignments]


def test_swept_options_that_lose_their_effect(tmp_path: Path) -> None:
    """Swept options are removed too, and the command reports it; a changed key itself is refused."""
    path = write_study(tmp_path / "mine.toml", make_study(optimizer="momentum", momentum=[0.5, 0.9], criterion="none"))
    assert load_study(path).n_cells == 8
    assert load_study(path, {"optimizer": "gd"}) == load_study(path, {"optimizer": "gd", "hidden": [2, 3]})
    assert load_study(path, {"optimizer": "gd"}).n_cells == 4
    finished = command("plan", str(path), "--set", "optimizer=gd")
    assert (finished.code, finished.err) == (0, "left out: parameters.momentum; no cell uses it any more\n")
    with pytest.raises(StudyError, match="has no effect in any cell"):
        load_study(path, {"optimizer": "gd", "momentum": 0.5})
    with pytest.raises(StudyError, match="got 'gdd'"):
        load_study(path, {"optimizer": "gdd"})


@pytest.mark.parametrize("assignment", ["hidden", "", "=3", " = 3"])
def test_assignment_without_key_or_sign(assignment: str) -> None:
    """The fault shows the form of an assignment."""
    with pytest.raises(StudyError, match="key=value"):
        parse_changes([assignment])


def test_last_assignment_wins() -> None:
    """Later changes replace earlier ones."""
    assert parse_changes(["hidden=2", "hidden=3"]) == {"hidden": 3}
    assert changed("xor", "hidden=2", "network.hidden=3").parameters["hidden"] == (3,)


def test_set_scalars(file: Path) -> None:
    """Bare and dotted keys set a scalar of any section."""
    study = changed(file, "activation=tanh", "network.dtype=float32", "threshold=1e-3", "training.loss=mse", "base=7")
    assert (study.in_tables["activation"], study.in_tables["dtype"]) == ("tanh", "float32")
    assert (study.in_tables["threshold"], study.in_tables["loss"], study.seeds.base) == (1e-3, "mse", 7)
    assert changed(file, "bias=true").in_tables["bias"] is True
    assert changed(file, "name=other").name == "other"


def test_set_swept_parameters(file: Path) -> None:
    """A swept parameter stays swept and keeps its place; a list sweeps a fixed one."""
    assert changed(file, "hidden=3").parameters == {"hidden": (3,)}
    assert changed(file, "parameters.hidden=3,5").parameters == {"hidden": (3, 5)}
    both = changed(file, "learning_rate=0.1,0.3")
    assert both.parameters == {"hidden": (2, 4), "learning_rate": (0.1, 0.3)}
    assert list(both.parameters) == ["hidden", "learning_rate"]
    assert changed(file, "bias=true,false").parameters["bias"] == (True, False)
    assert list(changed("xor", "learning_rate=1", "hidden=2").parameters) == ["hidden", "learning_rate"]


def test_set_patterns(file: Path, tmp_path: Path) -> None:
    """A task or a file replaces the former patterns."""
    (tmp_path / "p.csv").write_text("x0,x1,y\n0,0,1\n")
    assert changed(file, "task=seed").data == load_study("seed").data
    assert changed(file, "file=p.csv").data.inputs == ((0.0, 0.0),)
    for order in (("bits=2", "task=boolean", "function=6"), ("task=boolean", "data.function=6", "data.bits=2")):
        assert sorted(changed(file, *order).data.inputs) == sorted(load_study("xor").data.inputs)
    canonical = write_study(tmp_path / "canonical.toml", make_study())
    assert changed(canonical, "data.task=seed").data == load_study("seed").data


@pytest.mark.parametrize(
    ("assignment", "parts"),
    [
        ("hiden=3", ("--set: unknown key 'hiden'; did you mean 'hidden'",)),
        ("seed.count=3", ("--set: unknown key 'seed.count'; did you mean 'seeds.count'",)),
        ("width=3", ("--set: unknown key 'width'; did you mean 'hidden'?",)),
        ("seeds={count=3}", ("--set: 'seeds' is a table", "'seeds.count'")),
        ("hidden={range=[2]}", ("parameters.hidden", "range", "got [2]", "[first, last]")),
        ("hidden=3\nx=4", ("hidden", "'3\\nx=4'", "integer")),
        ("hidden=2,", ("hidden",)),
        ("learning_rate=[.1, .5]", ("--set: lists and tables must be TOML", "got '[.1, .5]'")),
        ("learning_rate=fast", ("learning_rate", "number")),
        ("seeds.count=1,2", ("seeds.count",)),
        ("dtype=float32,float16", ("dtype",)),
        ("task=nand", ("task", "xor, and, or")),
        ("name=a,b", ("name",)),
    ],
)
def test_bad_change(file: Path, assignment: str, parts: tuple[str, ...]) -> None:
    """A change that is not valid is a fault of the study."""
    with refused(*parts):
        changed(file, assignment)


def test_change_of_a_broken_study(file: Path) -> None:
    """A change does not hide a fault of the study."""
    file.write_text("network = 3\n[data]\ntask = 'xor'\n")
    with pytest.raises(StudyError, match="network"):
        changed(file, "hidden=2")


@pytest.mark.parametrize(
    ("key", "value", "parts"),
    [
        ("lerning_rate", 1, ("changes: unknown key 'lerning_rate'; did you mean 'learning_rate'?",)),
        ("training.hidden", 1, ("changes: unknown key 'training.hidden'; did you mean 'network.hidden'",)),
        ("training.targets", 1, ("did you mean 'data.targets'",)),
        ("seeds", {"count": 3}, ("changes: 'seeds' is a table", "'seeds.count'")),
        (3, 3, ("changes: unknown key 3; 'sweep explain' lists all keys",)),
        ("hidden", [], ("parameters.hidden", "empty")),
        ("hidden", None, ("parameters.hidden", "None")),
        ("seeds.count", range(3), ("seeds.count", "[0, 1, 2]", "integer")),
    ],
)
def test_bad_change_from_python(key: Any, value: Any, parts: tuple[str, ...]) -> None:
    """The faults of changes in Python do not mention options of the command line."""
    with pytest.raises(StudyError) as caught:
        load_study("xor", {key: value})
    (fault,) = caught.value.faults
    assert "--" not in fault
    for part in parts:
        assert part in fault


def test_all_unknown_changes_at_once() -> None:
    """All unknown keys are reported together."""
    with pytest.raises(StudyError) as caught:
        load_study("xor", {"hiden": 2, "count": 3, "sclae": 1})
    assert [fault.partition(";")[0] for fault in caught.value.faults] == [
        "changes: unknown key 'hiden'",
        "changes: unknown key 'sclae'",
    ]


def test_changes_that_are_no_dict() -> None:
    """The fault of an assignment in place of a dict shows the form of a dict."""
    with pytest.raises(StudyError, match=r"changes must be a dict such as {'seeds.count': 40}, got \['hidden=2'\]"):
        load_study("xor", ["hidden=2"])  # type: ignore[arg-type]


def test_patterns_replace_the_task(file: Path) -> None:
    """Inputs and targets replace a task or a file."""
    study = load_study(file, {"inputs": [[0], [1]], "targets": [1, 0]})
    assert (study.data.inputs, study.data.targets) == (((0.0,), (1.0,)), ((1.0,), (0.0,)))
    assert changed(file, "inputs=[[0], [1]]", "targets=[1, 0]") == study
    with pytest.raises(StudyError, match=r"data\.targets: is missing"):
        load_study(file, {"inputs": [[0], [1]]})


def test_description_of_a_changed_study() -> None:
    """By default it names the changed keys; a given text with a comma does not become a list."""
    whole = load_study("xor")
    assert whole.description
    assert changed("xor").description == whole.description
    some = changed("xor", "activation=tanh", "seeds.count=40")
    assert some.description == "xor with other values of activation and seeds.count"
    assert changed("xor", "activation=tanh", "description=rates, widths").description == "rates, widths"
    assert changed("xor", "name=other").description == whole.description


def test_a_file_in_place_of_built_in_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its relative path starts at the working folder, not at that of the built-in studies."""
    (tmp_path / "own.csv").write_text("x0,y\n0,1\n1,0\n")
    monkeypatch.chdir(tmp_path)
    assert load_study("xor", {"file": "own.csv"}).data.inputs == ((0.0,), (1.0,))
