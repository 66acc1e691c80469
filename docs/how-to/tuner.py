"""Optuna asks, sweep answers: the trials of a round are the cells of one study, trained side by side."""

import optuna

import sweep

tuner = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
for _ in range(10):
    trials = [tuner.ask() for _ in range(8)]
    points = {
        "learning_rate": [trial.suggest_float("learning_rate", 0.001, 1.0, log=True) for trial in trials],
        "scale": [trial.suggest_float("scale", 0.1, 3.0, log=True) for trial in trials],
    }
    study = sweep.Study(data={"task": "xor"}, network={"hidden": 8}, zip=[points], seeds={"count": 200})
    for trial, rate in zip(trials, sweep.run(study).cells["convergence_rate"], strict=True):
        tuner.tell(trial, rate)
print(f"best of {len(tuner.trials)} trials: {tuner.best_value:.3f} at {tuner.best_params}")
