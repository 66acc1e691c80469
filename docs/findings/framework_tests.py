"""Run XOR tests of libraries with many seeds: python docs/findings/framework_tests.py [seeds]."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import sweep
from sweep.lanes import absolute, constant, select, sigmoid, sin_cos, sqrt
from sweep.statistics.intervals import wilson_interval

SEEDS = int(float((*sys.argv[1:], "1e4")[0]))
# straight_sigmoid of Neataptic and Synaptic; fann_error and fann_rprop of FANN
sweep.load_plugin(Path(sweep.__file__).parent / "study/builtin/xor-tests.py")


@sweep.activation(surrogate=True)
def sigmoid_plus(z):
    """Encog: 0.1 is added to the slope of a sigmoid."""
    a = sigmoid(z)
    return a, a * (1.0 - a) + 0.1


@sweep.activation
def half_sine(z):
    """FANN: what LINEAR_PIECE_RECT of its C++ interface is in the library."""
    sin, cos = sin_cos(z)
    return 0.5 * sin + 0.5, 0.5 * cos


@sweep.activation
def half_cosine(z):
    """FANN: what LINEAR_PIECE_RECT_LEAKY of its C++ interface is in the library."""
    sin, cos = sin_cos(z)
    return 0.5 * cos + 0.5, -0.5 * sin


@sweep.activation(surrogate=True)
def sigmoid_stepwise(z):
    """FANN: six lines between seven values of a sigmoid; its slope is that of an output between .01 and .99."""
    x = 0.5 * z
    size = absolute(x)
    outer = select(
        size < 2.64665293693542, 0.95 + 0.045 * (size - 1.47221934795379) / 1.17443358898163, constant(1.0, z)
    )
    inner = select(size < 0.549306154251099, 0.5 + 0.25 * size / 0.549306154251099, outer)
    middle = 0.75 + 0.2 * (size - 0.549306154251099) / 0.922913193702691
    upper = select((size >= 0.549306154251099) & (size < 1.47221934795379), middle, inner)
    a = select(x < 0.0, 1.0 - upper, upper)
    of_slope = select(a < 0.01, constant(0.01, z), select(a > 0.99, constant(0.99, z), a))
    return a, of_slope * (1.0 - of_slope)


@sweep.optimizer(states=(0.1, 0.0), full_batch=True)
def encog_rprop(p, gradient, step, before, rate):
    """Encog: Rprop that takes back the last update of a parameter whose gradient changes its sign."""
    same = gradient * before
    is_same = same > 1e-13
    is_opposite = same < -1e-13
    longer = 1.2 * step
    shorter = 0.5 * step
    new = select(is_same, select(longer > 50.0, constant(50.0, p), longer), step)
    new = select(is_opposite, select(shorter < 1e-6, constant(1e-6, p), shorter), new)
    down = select(gradient > 1e-13, 0.0 - new, select(gradient < -1e-13, new, 0.0 * p))
    back = select(before > 0.0, step, 0.0 - step)
    return p + select(is_opposite, back, down), new, select(is_opposite, 0.0 * gradient, gradient)


@sweep.optimizer(states=(0.0,))
def adagrad(p, gradient, total, rate):
    """Adagrad, as of tiny-dnn."""
    new = total + gradient * gradient
    return p - rate * gradient / (sqrt(new) + 1e-8), new


XOR = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [0, 1, 1, 0]}
# Brain.js: inputs and targets of .001 in place of 0
NEAR_XOR = {"inputs": [[0.001, 0.001], [0.001, 1], [1, 0.001], [1, 1]], "targets": [0.001, 1, 1, 0.001]}


def uniform(half_width):
    """Return the distribution of initial weights and biases."""
    return {"distribution": "uniform", "scale": half_width}


def backprop(learning_rate, **options):
    """Return online training on half the squared error."""
    return {"loss": "half_squared", "learning_rate": learning_rate, "batch": "online", **options}


def right_after(steps):
    """Return a criterion: all outputs are on the right side of 0.5, looked at after the last step."""
    return {"criterion": "correct", "from_step": steps}


def error_below(mean_squared, criterion="loss", **options):
    """Return a criterion for half the summed squared error of four patterns, which is twice the mean squared error."""
    return {"criterion": criterion, "threshold": 2 * mean_squared, **options}


def genann(hidden, activation, rate, sweeps):
    """Return a test of codeplea/genann, test.c."""
    return {
        "data": XOR,
        "network": {"hidden": hidden, "activation": activation, "output": "sigmoid"},
        "initial_weights": uniform(0.5),
        "training": backprop(rate, max_steps=4 * sweeps),
        "convergence": right_after(4 * sweeps),
    }


def fann(activation):
    """Return a test of libfann/fann, tests/fann_test_train.cpp: the error before and after the last update."""
    return {
        "data": XOR,
        "network": {"hidden": 3, "activation": activation, "output": "sigmoid_stepwise", "dtype": "float32"},
        "initial_weights": uniform(0.1),
        "training": {"loss": "fann_error", "reduction": "mean", "optimizer": "fann_rprop", "learning_rate": 0.1}
        | {"max_steps": 100},
        "convergence": {"criterion": "loss", "threshold": 0.001, "stop": "after"},
    }


def of_traces(hidden, error, max_epochs, **options):
    """Return a test of the running error of an epoch, in libraries whose output slope is 1."""
    return {
        "data": XOR,
        "network": {"hidden": hidden, "activation": "sigmoid", "output": "straight_sigmoid"},
        "initial_weights": uniform(0.1),
        "training": backprop(order="shuffled", max_steps=4 * max_epochs, **options),
        "convergence": error_below(error, "running_loss"),
    }


# wagenaartje/neataptic, test/network.js; cazala/synaptic, test/synaptic.js and src/Trainer.js
NEATAPTIC = of_traces(5, 0.002, 3000, learning_rate=0.3, optimizer="momentum", momentum=0.9)
SYNAPTIC = of_traces(3, 0.005, 100_000, learning_rate=0.2)
# jeffheaton/encog-java-core, issue 137: the example XORHelloWorld
ENCOG = {
    "data": XOR,
    "network": {"hidden": 3, "activation": "sigmoid_plus", "output": "sigmoid"},
    "initial_weights": uniform(1.0),
    "training": {"loss": "half_squared", "optimizer": "encog_rprop", "learning_rate": 0.1, "max_steps": 5000},
    "convergence": error_below(0.01),
}
# BrainJS/brain.js, src/neural-network.bitwise.test.ts
BRAIN = {
    "data": NEAR_XOR,
    "network": {"hidden": 3, "activation": "sigmoid", "output": "sigmoid"},
    "initial_weights": uniform(0.2),
    "training": backprop(0.3, optimizer="momentum", momentum=0.1, max_steps=80_000),
    "convergence": error_below(0.003, "running_loss"),
}


def tiny_dnn(draw):
    """Return train_predict of tiny-dnn/tiny-dnn, test/test_network.h, with one draw of its 300 patterns."""
    bits = np.random.default_rng(draw).integers(0, 2, (300, 2))
    odd = bits.sum(1) == 1
    return {
        "data": {"inputs": bits.tolist(), "targets": np.where(odd[:, None], [-0.8, 0.8], [0.8, -0.8]).tolist()},
        "network": {"hidden": 10, "activation": "tanh", "output": "tanh", "dtype": "float32"},
        "initial_weights": {"distribution": "uniform", "scale": "glorot"},
        "training": {"loss": "mse", "optimizer": "adagrad", "learning_rate": 0.1, "batch": 10, "max_steps": 300},
        "convergence": {"criterion": "none"},
        "record": {"measures": ["train_accuracy"]},
    }


CONVERGED = "status == 'converged'"
IN_FANN = f"{CONVERGED} and steps <= 100 and final_loss < .001"
# Studies, how many runs in all, which of them pass, and of the library itself: trainings that failed, and all
TESTS = {
    "genann: sigmoid": ([genann(2, "sigmoid", 3.0, 500)], SEEDS, CONVERGED, 7897, 20_000),
    "genann: ReLU, each start": ([genann(4, "relu", 0.5, 2000)], SEEDS, CONVERGED, 5353, 20_000),
    "genann: tanh, each start": ([genann(4, "tanh", 0.5, 2000)], SEEDS, CONVERGED, 4974, 20_000),
    "FANN: sigmoid": ([fann("sigmoid_stepwise")], SEEDS, IN_FANN, 4826, 20_000),
    "FANN: ReLU (a sine)": ([fann("half_sine")], 10 * SEEDS, IN_FANN, 36, 80_000),
    "FANN: leaky ReLU (a cosine)": ([fann("half_cosine")], 10 * SEEDS, IN_FANN, 41, 80_000),
    "Encog": ([ENCOG], SEEDS, CONVERGED, 121, 4000),
    "Neataptic": ([NEATAPTIC], SEEDS, CONVERGED, 82, 2000),
    "Synaptic": ([SYNAPTIC], SEEDS, CONVERGED, 9, 5000),
    "Brain.js": ([BRAIN], SEEDS, f"{CONVERGED} or max_error < 0.4456", 11, 2000),
    "tiny-dnn": ([tiny_dnn(draw) for draw in range(50)], SEEDS, "train_accuracy == 1", 2, 4000),
}


def shares(failed, trainings):
    """Return in % the share that failed and the ends of its 95 % interval."""
    interval = wilson_interval(np.array(failed), np.array(trainings))
    return [100 * float(share) for share in (failed / trainings, *interval)]


rows = {}
for name, (studies, n_runs, passes, *library) in TESTS.items():
    n = n_runs // len(studies)
    failed = 0
    for k, study in enumerate(studies):
        result = sweep.run(sweep.Study(name="xor-test", seeds={"base": k * n, "count": n}, **study))
        failed += n - int(result.runs().eval(passes).sum())
    rows[name] = shares(failed, n * len(studies)) + shares(*library)
table = pd.DataFrame.from_dict(rows, "index", columns=["fails %", "low", "high", "library %", "its low", "its high"])
print(table.round(2).to_string())

figure = Figure((7, 4.2), layout="constrained")
ax = figure.subplots()
for columns, y, label in ((table.columns[:3], 0.12, "study"), (table.columns[3:], -0.12, "the library itself")):
    share, low, high = table[columns].T.to_numpy()
    at = np.arange(len(table))[::-1] + y
    ax.errorbar(share, at, xerr=[share - low, high - share], fmt="o" if y > 0 else "s", ms=4, label=label)
ax.set(xscale="log", xlim=(0.01, 100), xlabel="trainings that fail the test, %")
ax.set_xticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
ax.set_yticks(range(len(table)), table.index[::-1])
ax.grid(axis="x", color="0.9")
ax.legend(loc="upper left")
figure.savefig("framework_tests.png", dpi=120)
