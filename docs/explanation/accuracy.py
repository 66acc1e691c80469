"""Compare early stopping by validation with that of scikit-learn: accuracy on test patterns, and time per network."""

import time
import warnings

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import sweep

warnings.simplefilter("ignore", ConvergenceWarning)
SPLITS, SEEDS, EPOCHS, PATIENCE, BATCH = 4, 20, 200, 10, 32


def patterns(task, **arguments):
    """Return inputs and labels of a built-in task."""
    data = sweep.Study(data={"task": task, **arguments}, network={"hidden": 1}, training={"learning_rate": 0.1}).data
    targets = np.array(data.targets)
    return np.array(data.inputs), targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0].astype(int)


def of_sweep(inputs, labels, test, hidden, rate):
    """Return the test accuracies of xor-sweep, and the seconds per network."""
    classes = len(set(labels))
    output, loss = ("sigmoid", "bce") if classes == 2 else ("softmax", "cross_entropy")
    held_out = {"test": test} if isinstance(test, tuple) else {"test_count": test, "split_seed": range(SPLITS)}
    n_train = len(labels) - (0 if isinstance(test, tuple) else test)
    splits = {"validation_count": -(-n_train // 10), "stratify": True}
    if "split_seed" not in held_out:
        splits["validation_seed"] = range(SPLITS)
    network = {"hidden": hidden, "output": output, "activation": "relu"}
    training = {"loss": loss, "reduction": "mean", "optimizer": "adam", "learning_rate": rate, "batch": BATCH}
    training |= {"order": "shuffled", "max_epochs": EPOCHS, "max_steps": 10**6}
    stopping = {"criterion": "none", "monitor": "validation_accuracy", "patience": PATIENCE + 1}
    bias_scale = (6 / (inputs.shape[1] + hidden)) ** 0.5  # like that of the weights, as in scikit-learn
    start = {"distribution": "uniform", "scale": "glorot", "bias_scale": bias_scale}
    study = sweep.Study.from_arrays(
        inputs, labels, network=network, training=training, convergence=stopping, initial_weights=start,
        seeds={"count": SEEDS}, **splits, **held_out,
    )  # fmt: skip
    sweep.run(study, progress=False)  # compiles
    before = time.process_time()
    result = sweep.run(study, threads=1, progress=False)
    seconds = time.process_time() - before
    return result.runs()["test_accuracy_at_best"].to_numpy(), seconds / study.n_runs


def of_scikit_learn(inputs, labels, test, hidden, rate):
    """Return the test accuracies of MLPClassifier, and the seconds per network."""
    accuracies, before = [], time.process_time()
    for split in range(SPLITS):
        if isinstance(test, tuple):
            parts = inputs, test[0], labels, test[1]
        else:
            parts = train_test_split(inputs, labels, test_size=test, random_state=split, stratify=labels)
        for seed in range(SEEDS):
            network = MLPClassifier(
                (hidden,), learning_rate_init=rate, batch_size=BATCH, max_iter=EPOCHS, alpha=0.0, early_stopping=True,
                n_iter_no_change=PATIENCE, random_state=100 * split + seed,
            )  # fmt: skip
            accuracies.append(network.fit(parts[0], parts[2]).score(parts[1], parts[3]))
    return np.array(accuracies), (time.process_time() - before) / len(accuracies)


DIGITS = load_digits(return_X_y=True)
IRIS = load_iris(return_X_y=True)
SETS = {
    "MONK 1": (*patterns("monks", problem=1), patterns("monks_all", problem=1), 8, 0.01),
    "MONK 2": (*patterns("monks", problem=2), patterns("monks_all", problem=2), 8, 0.01),
    "MONK 3": (*patterns("monks", problem=3), patterns("monks_all", problem=3), 8, 0.01),
    "spiral": (*patterns("spiral"), 100, 32, 0.01),
    "iris": (IRIS[0] - IRIS[0].mean(axis=0), IRIS[1], 50, 8, 0.01),
    "digits": (DIGITS[0] / 16, DIGITS[1], 597, 32, 0.003),
}

for name, (inputs, labels, test, hidden, rate) in SETS.items():
    n_classes = len(set(labels))
    outputs = n_classes if n_classes > 2 else 1
    cells = [name, f"{inputs.shape[1]}-{hidden}-{outputs}"]
    for train in (of_sweep, of_scikit_learn):
        accuracies, seconds = train(inputs, labels, test, hidden, rate)
        cells += [f"{100 * accuracies.mean():.1f} ± {100 * accuracies.std(ddof=1):.1f}", f"{1e3 * seconds:.3g}"]
    print(f"| {' | '.join(cells)} |", flush=True)
