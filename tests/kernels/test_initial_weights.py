"""Initial weights have the bits of NumPy's generators."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kernels.recipe import Architecture, Hidden
from kernels.start import numbers
from kernels.start.initialize import Start, initial_weights, uncompiled, weights_by_start
from kernels.start.mersenne import MAX_SEED
from kernels.start.names import DISTRIBUTIONS, GENERATORS, NAMED_SCALES
from kernels.start.numbers import fill_numbers
from tests import oracle
from tests.kernels.support import DTYPES, Array, assert_equal, sized

COUNTS = (0, 1, 2, 9, 12, 33)
LONG_COUNTS = (311, 313, 700, 1501)  # a state of 624 words makes 312 uniform numbers

# The basic distributions, from which others are made.
DRAWN = ("normal", "uniform")

LINE = Architecture(1, 1, "tanh", "identity", bias=False)
NETWORK = Architecture(2, 2, "tanh", "identity", bias=True, skip=True)


def _seeds(count: int) -> Array:
    """Return the smallest and the largest seed, consecutive and scattered ones."""
    scattered = np.random.default_rng(51).integers(0, MAX_SEED, count // 2, endpoint=True)
    return np.concatenate(([MAX_SEED, 0, MAX_SEED - 1], np.arange(1, count // 2), scattered))


def _numbers(seeds: Array, count: int, distribution: str, generator: str) -> Array:
    drawn = np.full((seeds.size, count), np.nan)
    fill_numbers(drawn, seeds, distribution, generator)
    return drawn


def _numpy_numbers(seeds: Array, count: int, distribution: str, generator: str) -> Array:
    return np.array([oracle.draw(seed, count, distribution, generator) for seed in seeds.tolist()])


@pytest.mark.parametrize(
    ("generator", "n_seeds", "counts"),
    [
        ("mt19937", sized(10_500, 60), COUNTS),
        pytest.param("mt19937", sized(200, 20), LONG_COUNTS, marks=pytest.mark.slow),
        ("pcg64", sized(1000, 60), COUNTS),
    ],
)
@pytest.mark.parametrize("distribution", DRAWN)
def test_bits_of_numpy(distribution: str, generator: str, n_seeds: int, counts: tuple[int, ...]) -> None:
    """Any count of first numbers is that of NumPy's generator, also where its state is renewed."""
    seeds = _seeds(n_seeds)
    expected = _numpy_numbers(seeds, max(counts), distribution, generator)
    for count in counts:
        assert_equal(_numbers(seeds, count, distribution, generator), expected[:, :count], f"{count} numbers")


@pytest.mark.parametrize(
    ("count", "kind"),
    [(1, "int64"), (127, "int64"), (128, "uint32"), (129, "uint64"), (300, "int64")],
)
@pytest.mark.parametrize("distribution", DRAWN)
def test_seeds_do_not_depend_on_each_other(distribution: str, count: int, kind: str) -> None:
    """Seeds in any number and order, of any type and also repeated, give the same numbers as each alone."""
    random = np.random.default_rng(count)
    seeds = np.concatenate([random.integers(0, 20, count), _seeds(2)]).astype(kind)
    given = _numbers(seeds, 5, distribution, "mt19937")
    assert_equal(given, _numpy_numbers(seeds, 5, distribution, "mt19937"), "numbers")


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("distribution", DRAWN)
def test_no_seeds(distribution: str, generator: str) -> None:
    """No seeds give no rows."""
    assert _numbers(np.array([], np.int64), 4, distribution, generator).shape == (0, 4)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("seed", [-1, 2**32, -(2**40), 2**63 - 1])
def test_seeds_out_of_range_are_refused(seed: int, generator: str) -> None:
    """A seed that a generator would wrap is an error, in any position."""
    with pytest.raises(ValueError, match="4294967295"):
        _numbers(np.array([3, seed, 5]), 2, "normal", generator)


@pytest.mark.parametrize(("distribution", "generator"), [("gamma", "pcg64"), ("normal", "xorshift")])
def test_unknown_names_are_refused(distribution: str, generator: str) -> None:
    with pytest.raises(ValueError, match="must be of"):
        _numbers(np.arange(3), 2, distribution, generator)


def test_seeds_are_integers() -> None:
    with pytest.raises(ValueError, match="must be integers"):
        _numbers(np.array([1.7]), 2, "normal", "mt19937")


def test_unsuitable_memory_is_refused() -> None:
    """Numbers must have one row per seed, and rows must be contiguous."""
    rows = np.empty((4, 6))
    for unfit in (rows[1:], rows[:, ::2], np.asfortranarray(rows)):
        with pytest.raises(ValueError, match="numbers: must have one row for each of"):
            fill_numbers(unfit, np.arange(4), "normal", "pcg64")


SIZE = st.integers(1, 3)
NETWORKS = st.tuples(
    st.builds(
        Architecture,
        *(SIZE, SIZE, st.just("tanh"), st.just("identity")),
        bias=st.booleans(),
        skip=st.sampled_from((False, True, "all")),
        scaling=st.just("standard"),
        deep=st.just(False),
    ),
    st.integers(1, 5) | st.lists(SIZE, min_size=2, max_size=4).map(tuple),
).map(lambda network: (network[0]._replace(deep=isinstance(network[1], tuple)), network[1]))
SCALES = st.floats(0, 1e3) | st.sampled_from((0.0, 0.1, 1.0, 1e300))
OWN_SCALES = st.none() | SCALES
NAMED = SCALES | st.sampled_from(tuple(NAMED_SCALES))


@st.composite
def _orders(draw: st.DrawFn, shapes: dict[str, Any]) -> str:
    """Shuffle the parameters, transpose some arrays, number some by layer, and omit some that are absent."""
    kinds = {name[0] for name in shapes}
    own = [name for name in [*shapes, "w1", "b7"] if name not in kinds and name[0] in kinds and draw(st.booleans())]
    names = [name for name in "wvbck" if name in kinds or draw(st.booleans())]
    shuffled = draw(st.permutations([*names, *dict.fromkeys(own)]))
    return " ".join(name + ".T" * (name[0] in "wvk" and draw(st.booleans())) for name in shuffled)


@st.composite
def _starts(draw: st.DrawFn, shapes: dict[str, Any]) -> Start:
    distribution, generator = draw(st.sampled_from(DISTRIBUTIONS)), draw(st.sampled_from(GENERATORS))
    order = draw(st.just(Start().order) | _orders(shapes))
    weights = SCALES if distribution == "constant" else NAMED
    scale, output_scale = draw(weights), draw(st.none() | weights)
    by_numpy, attempt = draw(st.booleans()), draw(st.sampled_from([0, 0, 2]))
    start = Start(distribution, scale, output_scale, draw(OWN_SCALES), order, generator, by_numpy, attempt)
    own = st.lists(st.sampled_from([*shapes, *{name[0] for name in shapes}]), unique=True, max_size=3)
    offsets = st.sampled_from([0.0, 0.5, -3.0])
    values = {"scale": (scale, SCALES), "offset": (draw(offsets), offsets)}
    if distribution != "constant":
        values |= {"scale": (scale, NAMED), "distribution": (distribution, st.sampled_from(DRAWN))}
    for option, (plain, others) in values.items():
        entries = [f"{name}={draw(others)}" for name in draw(own)]
        start = start._replace(**{option: " ".join([str(plain), *entries]) if entries else plain})
    return start


def _for_array(value: float | str, name: str) -> Any:
    """Return what an option such as ``1.0 w=he w2=0.1`` says of an array, None if it names others only."""
    found = dict(entry.split("=") for entry in str(value).split()[1:])
    text = found.get(name, found.get(name[0]))
    return text if text in (None, *NAMED_SCALES, *DISTRIBUTIONS) else float(text)


def _assert_as_oracle(start: Start, seeds: Array, architecture: Architecture, hidden: Hidden, dtype: str) -> None:
    """Require the bits of the oracle, signs of zeros included."""
    of_most = str(start.scale).split()[0]
    plain: Any = of_most if of_most in NAMED_SCALES else float(of_most)
    own = {"w": plain, "v": start.output_scale, "biases": start.bias_scale}
    if of_most in ("he", "glorot", "lecun") and start.bias_scale is None:
        own["biases"] = 0.0
    shapes = oracle.parameter_shapes(
        architecture.inputs, hidden, architecture.outputs, architecture.bias, architecture.skip
    )
    scales = {name: plain if scale is None else scale for name, scale in own.items()}
    kinds = {"b": "biases", "c": "biases"}
    kinds = {name: "v" if name == "k" else kinds.get(name[0], "v" if name[0] == "v" else "w") for name in shapes}
    of_arrays = {name: _for_array(start.scale, name) for name in shapes}
    of_arrays = {name: scales[kinds[name]] if own is None else own for name, own in of_arrays.items()}
    scales |= of_arrays
    first, offset = start.distribution.split()[0], float(str(start.offset).split()[0])
    distributions = {name: _for_array(start.distribution, name) or first for name in shapes}
    of_arrays = {name: _for_array(start.offset, name) for name in shapes}
    offsets = {name: offset if each is None else each for name, each in of_arrays.items()}
    with np.errstate(over="ignore"):
        expected = oracle.initial_parameters(
            *(seeds.tolist(), shapes, distributions, scales, start.generator, dtype, start.order),
            attempt=start.attempt,
            offsets=offsets,
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = initial_weights(start, seeds, architecture, hidden, dtype)
    assert_equal(weights, expected, repr(start))
    assert_equal(np.signbit(weights), np.signbit(expected), repr(start))


@pytest.mark.slow
@settings(max_examples=sized(200, 30), deadline=None)
@given(data=st.data(), network=NETWORKS, dtype=st.sampled_from(DTYPES))
def test_any_start_as_oracle(data: st.DataObject, network: tuple[Architecture, Hidden], dtype: str) -> None:
    """Any order, orientation and scales give the oracle's bits: numbers are scaled in float64 and rounded last."""
    seeds = np.array(data.draw(st.lists(st.integers(0, MAX_SEED), min_size=1, max_size=4)))
    _assert_as_oracle(data.draw(_starts(network[0].shapes(network[1]))), seeds, *network, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("order", ["w v b c k", "w v.T b c k", "k b w.T c v"])
def test_starts_of_many_seeds_as_oracle(order: str, distribution: str, generator: str, dtype: str) -> None:
    """Seeds that need more numbers than others have the oracle's weights too."""
    seeds = _seeds(sized(200, 40))
    for scale, output_scale, bias_scale in ((0.1, None, None), (3.7, 0.2, 0.0)):
        start = Start(distribution, scale, output_scale, bias_scale, order, generator)
        _assert_as_oracle(start, seeds, NETWORK, 3, dtype)


@pytest.mark.parametrize("start", [Start(), Start(output_scale=0.5)], ids=["one pass", "two"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_are_written_to_out(start: Start, dtype: str) -> None:
    """The memory of ``out`` is filled, including late seeds, and returned."""
    seeds = _seeds(sized(300, 40))
    out = np.full((seeds.size, NETWORK.n_parameters(3)), np.nan, dtype)
    assert initial_weights(start, seeds, NETWORK, 3, dtype, out) is out
    assert_equal(out, initial_weights(start, seeds, NETWORK, 3, dtype), "weights")
    for unfit in (out[1:], out.astype("float16")):
        with pytest.raises(ValueError, match="out: must have shape"):
            initial_weights(start, seeds, NETWORK, 3, dtype, unfit)


@settings(max_examples=sized(100, 20), deadline=None)
@given(data=st.data(), network=NETWORKS, dtype=st.sampled_from(DTYPES))
def test_starts_that_differ_in_scales(data: st.DataObject, network: tuple[Architecture, Hidden], dtype: str) -> None:
    """Numbers that are drawn once and scaled for each start are the weights of the start, signs of zeros included."""
    architecture, hidden = network
    shapes = architecture.shapes(hidden)
    starts = data.draw(st.lists(_starts(shapes), min_size=1, max_size=4))
    starts = [start for start in starts if start.alike() == starts[0].alike()]
    scales = [SCALES] if "constant" in starts[0].distribution else [NAMED]
    starts += [starts[0]._replace(scale=scale) for scale in data.draw(st.lists(*scales, max_size=3))]
    which = np.array(data.draw(st.lists(st.integers(0, len(starts) - 1), max_size=12)), np.int64)
    seeds = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(which), max_size=len(which))), np.int64)
    found = weights_by_start(starts, which, seeds, architecture, hidden, dtype)
    for weights, start, seed in zip(found, which, seeds, strict=True):
        expected = initial_weights(starts[start], np.array([seed]), architecture, hidden, dtype)[0]
        assert_equal(weights, expected, repr(starts[start]))
        assert_equal(np.signbit(weights), np.signbit(expected), repr(starts[start]))


def test_uniform_weights_lie_in_range() -> None:
    """Uniform weights start at -scale and stay below scale."""
    weights = initial_weights(Start("uniform", 0.3), np.arange(64), LINE, 25, "float64")
    assert weights.min() >= -0.3
    assert weights.max() < 0.3
    assert abs(weights.mean()) < 0.02


def test_weight_beyond_the_dtype_is_infinite_without_a_warning() -> None:
    """The run of such a weight then diverges."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(initial_weights(Start(scale=1e300), np.arange(4), LINE, 2, "float32")).all()


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("w v b x c", "order: must name w, v, b, c or k, .* got 'x' in 'w v b x c'"),
        ("w v b.T c", "order: must name .* got 'b.T'"),
        ("w9 v b c", "order: must name .* got 'w9'"),
        ("w v1 b c", "order: must name .* got 'v1'"),
        ("w v.t b c", "order: must name .* got 'v.t'"),
        ("w v. b c", "order: must name .* got 'v.'"),
        ("w v b c w.T", "order: must name w once, got 'w v b c w.T'"),
        ("w v b k", "order: must also name c, got 'w v b k'"),
        ("", "order: must also name w, v, b, c, got ''"),
    ],
)
def test_invalid_orders_are_refused(order: str, message: str) -> None:
    """An invalid order gives one sentence, also from the function that returns the kernel to compile."""
    architecture = NETWORK._replace(skip=False)
    with pytest.raises(ValueError, match=message):
        initial_weights(Start(order=order), np.arange(3), architecture, 2, "float64")
    with pytest.raises(ValueError, match=message):
        uncompiled(Start(order=order), architecture, 2, "float64")


def state_of_all() -> NDArray[np.uint32]:
    """Return the state of NumPy's global generator."""
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - what the test is about
    return np.array(state["state"]["key"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("start", [Start(), Start("uniform", 0.3), Start(bias_scale=0.0), Start(order="v.T w b c k")])
def test_numpy_draws_the_same(start: Start, dtype: str) -> None:
    """NumPy and the kernel draw the same weights, and no other generator changes its state."""
    seeds = np.array([0, 1, 7, 2**32 - 1, 623, 624])
    before = state_of_all()
    drawn = initial_weights(start._replace(by_numpy=True), seeds, NETWORK, 3, dtype)
    np.testing.assert_array_equal(drawn, initial_weights(start, seeds, NETWORK, 3, dtype))
    np.testing.assert_array_equal(state_of_all(), before)
    assert uncompiled(start._replace(by_numpy=True), NETWORK, 3, dtype) is None


def test_equal_starts_are_one_key() -> None:
    """Equal starts are equal keys."""
    assert {Start("uniform", 0.5, order="w b v c"): 1}[Start("uniform", scale=0.5, order="w b v c")] == 1
    assert Start(scale=0.5) != Start(scale=0.5, bias_scale=0.0)
    assert repr(Start()).startswith("Start(distribution='normal', scale=1.0, output_scale=None")


def test_kernel_that_is_not_compiled_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that take a second pass are drawn in float64; NumPy's own generator needs no kernel."""
    asked = []
    monkeypatch.setattr(numbers, "is_compiled", lambda draw, arguments: asked.append(arguments[1].dtype.name))
    for start in (Start(), Start(bias_scale=1.0), Start(bias_scale=0.0), Start(order="v w b c k")):
        assert uncompiled(start, NETWORK, 2, "float32") is numbers.make_draw("normal")
    assert asked == ["float32", "float32", "float64", "float64"]
    assert uncompiled(Start(generator="pcg64"), NETWORK, 2, "float32") is None
    monkeypatch.undo()
    initial_weights(Start(), np.arange(3), NETWORK, 2, "float32")
    assert uncompiled(Start(), NETWORK, 2, "float32") is None
