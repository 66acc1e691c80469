"""Tasks of four patterns, for random studies."""

from __future__ import annotations

from typing import Any

# Tasks of four patterns.
TASKS_OF_FOUR: list[dict[str, Any]] = [
    *({"task": name} for name in ("xor", "and", "or", "seed")),
    {"task": "boolean", "bits": 2, "function": 9, "coding": "pm1", "target_low": -1, "target_high": 1},
    {"task": "parity", "bits": 2, "target_high": 0.9},
    {"task": "encoder", "n": 4},
    {"task": "moons", "n": 2, "noise": 0.1, "data_seed": 7},
    {"task": "spiral", "n": 2, "classes": 2},
    {"task": "noise", "n": 4, "n_inputs": 3, "n_outputs": 2},
    {"task": "noise", "n": 6, "n_inputs": 1, "train_count": 4, "split_seed": 3},
    {"task": "parity", "bits": 3, "train": [5, 0, 1, 2], "decision_threshold": 0.3},
    {"task": "xor", "test": {"task": "or", "coding": "pm1"}, "label_noise": 0.5, "noise_seed": 1},
]

# Swept options of the data, with tasks of four patterns that take them.
SWEPT_OF_FOUR: list[tuple[dict[str, Any], dict[str, list[Any]]]] = [
    ({"task": "boolean", "bits": 2}, {"function": [0, 6, 14], "decision_threshold": [0.5, 0.4]}),
    ({"task": "xor"}, {"coding": ["pm1", "01"], "target_low": [-1.0, 0.1]}),
    ({"task": "moons", "n": 2, "test": {"task": "xor"}}, {"noise": [0.0, 0.3], "data_seed": [1, 0]}),
    ({"task": "noise", "n": 6, "n_inputs": 3, "train_count": 4}, {"data_seed": [0, 7], "split_seed": [2, 3]}),
    ({"inputs": [[0, 1], [1, 0], [2, 2], [1, 1]], "targets": [0, 1, 2, 1]}, {"label_noise": [0.0, 0.5]}),
    ({"task": "encoder", "n": 4, "label_noise": 0.5}, {"noise_seed": [1, 2], "target_high": [0.9]}),
]
