"""Study files, built-in studies and changes from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sweep import Study, StudyError, load_study
from sweep.load import built_in_studies, parse_changes
from tests.sweep.support import make_study, write_study

TEXT = """
name = "mine"
[data]
task = "xor"
[network]
bias = false
[training]
learning_rate = 0.1
[parameters]
hidden = { values = [2, 4] }
[seeds]
count = 10
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a study file."""
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)
    return path


def changed(source: Path | str, *assignments: str) -> Study:
    """Load a study as ``--set`` changes it."""
    return load_study(source, parse_changes(assignments))


def test_built_in_studies() -> None:
    """The built-in studies have the sizes and settings that the README tells."""
    assert sorted(built_in_studies()) == ["linear-seed", "linear-xor", "seed", "xor"]
    studies = {name: load_study(name) for name in built_in_studies()}
    assert all(study.name == name and study.description for name, study in studies.items())
    xor = studies["xor"]
    assert (xor.n_cells, xor.seeds.count, xor.n_runs) == (91, 1000, 91_000)
    assert xor.parameters["hidden"] == (2, 3, 4, 6, 8, 12, 16)
    rates = xor.parameters["learning_rate"]
    assert (len(rates), rates[0], rates[4], rates[-1]) == (13, 1e-3, 1e-2, 1.0)
    expected = {"activation": "relu", "bias": True, "max_steps": 5000, "criterion": "loss", "below": 1e-4}
    assert expected.items() <= xor.fixed().items()
    seed = studies["seed"]
    assert (seed.n_runs, seed.seeds.base) == (1, 83832)
    expected = {"hidden": 2, "bias": False, "learning_rate": 0.01, "max_steps": 500, "criterion": "none"}
    assert expected.items() <= seed.fixed().items()
    for name in ("linear-xor", "linear-seed"):
        assert studies[name].parameters == {"learning_rate": (0.003, 0.01, 0.03)}
        assert studies[name].n_runs == 3000
        expected = {"hidden": 2, "activation": "identity", "bias": False, "max_steps": 5000, "below": 1e-4}
        assert expected.items() <= studies[name].fixed().items()


def test_study_file(file: Path) -> None:
    """A file is read as it says; a string and a path name it alike."""
    study = load_study(file)
    assert (study.name, study.parameters, study.seeds.count) == ("mine", {"hidden": (2, 4)}, 10)
    assert study.network.bias is False
    assert load_study(str(file)) == study


def test_pattern_file_lies_beside_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative pattern file is looked for in the folder of the study file, wherever one is."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "p.csv").write_text("x0,y\n1,2\n")
    study = tmp_path / "there" / "s.toml"
    study.write_text('[data]\nfile = "p.csv"\n[network]\nhidden = 1\n[training]\nlearning_rate = 1\n')
    monkeypatch.chdir(tmp_path)
    assert load_study("there/s.toml").data.inputs == ((1.0,),)
    absolute = study.read_text().replace("p.csv", str(tmp_path / "there" / "p.csv"))
    (tmp_path / "absolute.toml").write_text(absolute)
    assert load_study("absolute.toml") == load_study(study)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", ("TOML",)),
        ("[data]\ntask = 'xor'\n[data]\n", ("TOML",)),
        (TEXT + "[netwrok]\nhidden = 2\n", ("unknown key 'netwrok'", "did you mean 'network'")),
        (TEXT.replace('task = "xor"', ""), ("data", "task")),
        (TEXT.replace('[data]\ntask = "xor"', ""), ("data", "task")),
        ("data = 3\n" + TEXT.replace('[data]\ntask = "xor"', ""), ("data", "table")),
        (TEXT.replace("count = 10", "count = 1.5"), ("seeds.count", "1.5", "integer")),
        (TEXT.replace("hidden = { values = [2, 4] }", "hidden.values = []"), ("parameters.hidden", "empty")),
    ],
)
def test_bad_study_file(file: Path, text: str, words: tuple[str, ...]) -> None:
    """A bad file is one sentence that names what is wrong."""
    file.write_text(text)
    with pytest.raises(StudyError) as caught:
        load_study(file)
    assert len(caught.value.faults) == 1
    for word in words:
        assert word in str(caught.value)


def test_unknown_keys_and_other_faults_at_once(file: Path) -> None:
    """An unknown table does not hide what is wrong in the others."""
    file.write_text(TEXT.replace("count = 10", "count = 0") + "[seed]\n[output]\n")
    with pytest.raises(StudyError) as caught:
        load_study(file)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("kind", ["missing", "directory", "binary"])
def test_file_that_cannot_be_read(tmp_path: Path, kind: str) -> None:
    """A study that is no readable file is told by its path."""
    path = tmp_path / "study.toml"
    if kind == "directory":
        path.mkdir()
    if kind == "binary":
        path.write_bytes(bytes(range(256)))
    with pytest.raises(StudyError, match=r"study\.toml"):
        load_study(path)


def test_unknown_study_names_the_nearest() -> None:
    """A word that is neither a built-in study nor a file suggests one."""
    with pytest.raises(StudyError, match="did you mean 'linear-xor'") as caught:
        load_study("linear_xor")
    assert "path" in str(caught.value)


def test_byte_order_mark_is_no_fault(file: Path) -> None:
    """Editors on Windows begin a file with a byte order mark."""
    file.write_text(TEXT, "utf-8-sig")
    assert load_study(file).name == "mine"


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("hidden=3", {"hidden": 3}),
        ("seeds.count=40", {"seeds.count": 40}),
        ("learning_rate=0.1,0.3", {"learning_rate": [0.1, 0.3]}),
        ("learning_rate = 1e-3 , 1", {"learning_rate": [1e-3, 1]}),
        ("bias=true,false", {"bias": [True, False]}),
        ("activation=relu,tanh", {"activation": ["relu", "tanh"]}),
        ('activation="relu"', {"activation": "relu"}),
        ("hidden=[2, 4]", {"hidden": [2, 4]}),
        ("hidden={ range = [2, 4] }", {"hidden": {"range": [2, 4]}}),
        ("learning_rate={logspace=[1e-3,1.0,13]}", {"learning_rate": {"logspace": [1e-3, 1.0, 13]}}),
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
    """Values are read as TOML would, anything else is text, commas make lists."""
    assert parse_changes([assignment]) == expected


@pytest.mark.parametrize("assignment", ["hidden", "", "=3", " = 3"])
def test_assignment_without_key_or_sign(assignment: str) -> None:
    """What is no assignment is told how to write one."""
    with pytest.raises(StudyError, match="key=value"):
        parse_changes([assignment])


def test_last_assignment_wins() -> None:
    """Later changes replace earlier ones."""
    assert parse_changes(["hidden=2", "hidden=3"]) == {"hidden": 3}
    assert changed("xor", "hidden=2", "network.hidden=3").parameters["hidden"] == (3,)


def test_set_scalars(file: Path) -> None:
    """Bare and dotted keys set a scalar of any section."""
    study = changed(file, "activation=tanh", "network.dtype=float32", "below=1e-3", "training.loss=mse", "base=7")
    assert (study.network.activation, study.network.dtype) == ("tanh", "float32")
    assert (study.convergence.below, study.training.loss, study.seeds.base) == (1e-3, "mse", 7)
    assert changed(file, "bias=true").network.bias is True
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


def test_set_equals_the_file_so_written(file: Path, tmp_path: Path) -> None:
    """A change by --set is the same study as a change of the file."""
    edited = tmp_path / "edited.toml"
    edited.write_text(TEXT.replace("count = 10", "count = 40").replace("[2, 4]", "[3]"))
    assert changed(file, "seeds.count=40", "hidden=3") == load_study(edited)


def test_set_patterns(file: Path, tmp_path: Path) -> None:
    """A task or a file replaces the patterns that were there."""
    (tmp_path / "p.csv").write_text("x0,x1,y\n0,0,1\n")
    assert changed(file, "task=seed").data == load_study("seed").data
    assert changed(file, "file=p.csv").data.inputs == ((0.0, 0.0),)
    canonical = write_study(tmp_path / "canonical.toml", make_study())
    assert changed(canonical, "data.task=seed").data == load_study("seed").data


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("hiden=3", ("--set: unknown key 'hiden'; did you mean 'hidden'",)),
        ("seed.count=3", ("--set: unknown key 'seed.count'; did you mean 'seeds.count'",)),
        ("batch_size=3", ("--set: unknown key 'batch_size'; known: ",)),
        ("seeds={count=3}", ("--set: 'seeds' is a table", "'seeds.count'")),
        ("hidden={range=[2]}", ("parameters.hidden", "range [2]", "[first, last]")),
        ("hidden=[2", ("hidden", "integer")),
        ("hidden=3\nx=4", ("hidden", "'3\\nx=4'", "integer")),
        ("training.hidden=3", ("training.hidden",)),
        ("seeds=3", ("seeds",)),
        ("a.b.c=3", ("a.b.c",)),
        ("hidden=", ("hidden", "integer")),
        ("hidden=0", ("hidden", "at least 1")),
        ("hidden=2,2", ("hidden", "twice")),
        ("hidden=2,", ("hidden",)),
        ("learning_rate=-1", ("learning_rate", "above 0")),
        ("learning_rate=nan", ("learning_rate", "finite")),
        ("learning_rate=inf", ("learning_rate", "finite")),
        ("learning_rate=fast", ("learning_rate", "number")),
        ("bias=maybe", ("bias", "true or false")),
        ("seeds.base=-1", ("seeds.base",)),
        ("seeds.base=4294967296", ("seeds.base",)),
        ("seeds.count=1.5", ("seeds.count", "integer")),
        ("seeds.count=1,2", ("seeds.count",)),
        ("dtype=float32,float64", ("dtype",)),
        ("task=nand", ("task", "xor, seed")),
        ("task=xor,seed", ("task",)),
        ("name=a,b", ("name",)),
    ],
)
def test_bad_change(file: Path, assignment: str, words: tuple[str, ...]) -> None:
    """A change that cannot be made is a fault of the study."""
    with pytest.raises(StudyError) as caught:
        changed(file, assignment)
    for word in words:
        assert word in str(caught.value)


def test_description_with_a_comma(file: Path) -> None:
    """Text with a comma is not turned into Python's notation of a list."""
    assert changed(file, "description=rates, widths").description == "rates, widths"


def test_change_of_a_broken_study(file: Path) -> None:
    """A change does not hide that the study is at fault."""
    file.write_text("network = 3\n[data]\ntask = 'xor'\n")
    with pytest.raises(StudyError, match="network"):
        changed(file, "hidden=2")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("lerning_rate", 1, ("changes: unknown key 'lerning_rate'; did you mean 'learning_rate'?",)),
        ("training.hidden", 1, ("changes: unknown key 'training.hidden'; did you mean",)),
        ("seeds", {"count": 3}, ("changes: 'seeds' is a table", "'seeds.count'")),
        (3, 3, ("changes: unknown key 3; known: ",)),
        ("hidden", [], ("parameters.hidden", "empty")),
        ("hidden", None, ("parameters.hidden", "None")),
        ("seeds.count", range(3), ("seeds.count", "[0, 1, 2]", "integer")),
    ],
)
def test_bad_change_from_python(key: Any, value: Any, words: tuple[str, ...]) -> None:
    """What Python gives is told in words of Python, not of the command line."""
    with pytest.raises(StudyError) as caught:
        load_study("xor", {key: value})
    (fault,) = caught.value.faults
    assert "--" not in fault
    for word in words:
        assert word in fault


def test_all_unknown_changes_at_once() -> None:
    """Two keys that are unknown are told together."""
    with pytest.raises(StudyError) as caught:
        load_study("xor", {"hiden": 2, "count": 3, "sclae": 1})
    assert [fault.partition(";")[0] for fault in caught.value.faults] == [
        "changes: unknown key 'hiden'",
        "changes: unknown key 'sclae'",
    ]


def test_changes_that_are_no_dict() -> None:
    """Assignments as on the command line are told how to be written in Python."""
    with pytest.raises(StudyError, match=r"changes \['hidden=2'\] given; must be a dict such as {'seeds.count': 40}"):
        load_study("xor", ["hidden=2"])  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [3, None, {"data": {"task": "xor"}}, b"xor"])
def test_source_that_names_nothing(source: Any) -> None:
    """A study is loaded by name or path."""
    with pytest.raises(StudyError, match="must be the name of a built-in study or the path of a study file"):
        load_study(source)


def test_patterns_replace_the_task(file: Path) -> None:
    """Inputs and targets given take the place of a task or a file."""
    study = load_study(file, {"inputs": [[0], [1]], "targets": [1, 0]})
    assert (study.data.inputs, study.data.targets) == (((0.0,), (1.0,)), ((1.0,), (0.0,)))
    assert changed(file, "inputs=[[0], [1]]", "targets=[1, 0]") == study
    with pytest.raises(StudyError, match=r"data\.targets: is missing"):
        load_study(file, {"inputs": [[0], [1]]})


def test_flat_targets_in_a_file(file: Path) -> None:
    """A study file may give one target for each pattern."""
    patterns = "inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]\ntargets = [0, 1, 1, 0]"
    expected = load_study(file)
    file.write_text(TEXT.replace('task = "xor"', patterns))
    assert load_study(file) == expected


def test_swept_values_in_a_file(file: Path) -> None:
    """Every form under [parameters] is read."""
    forms = "hidden = { range = [2, 8, 2] }\nscale = [1, 2.5]\nbelow = 0.1\nmax_steps.linspace = [10, 20, 2]"
    file.write_text(TEXT.replace("hidden = { values = [2, 4] }", forms))
    assert load_study(file).parameters == {
        "hidden": (2, 4, 6, 8),
        "scale": (1.0, 2.5),
        "below": (0.1,),
        "max_steps": (10, 20),
    }


def test_built_in_study_and_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder named like nothing built in is told to be one."""
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError, match="'mine' cannot be read: it is a folder"):
        load_study("mine")
