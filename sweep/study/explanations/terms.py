"""Terms of answers and of the manual, for ``sweep explain``: what a run is, how it can end, what brackets mean."""

from __future__ import annotations

TERMS = {
    "study": "a TOML file, or a sweep.Study object, that holds everything that decides the numbers.",
    "cell": "one configuration: a combination of values of the swept options. Every cell is trained with every seed.",
    "run": "one network: a cell and a seed. The same seed starts cells of one shape from the same weights.",
    "seed": "the number from which initial weights are drawn. Seeds are replicates: statistics are over seeds.",
    "replicate": "what answers pool over: seeds, and swept splits of patterns (split_seed, validation_seed, fold) and "
    "draws of noise (noise_seed). A replicate is never named as the best.",
    "pattern": "one training example: inputs and targets.",
    "held-out patterns": "patterns that networks do not train on. Validation patterns choose: when a run ends, the "
    "best network of a run, the best cell. Test patterns then show how good the choice is. Options of [data] such as "
    "test_count and validation_count hold them out.",
    "arrays": "the weights of a network, by name. w and b: weights and biases of the hidden layer (w1, b1, w2, .. of "
    "several, w and b of all). v and c: those of the output layer. k: weights from inputs directly to outputs (skip); "
    "with shortcuts = all, k leads to the outputs, and k2, k3, .. lead to hidden layers 2, 3, ..; in tables, k also "
    "means all of these. Their rows are the inputs, then the units of earlier layers but the one directly below. "
    "w[0,1] is the weight from input 0 to unit 1, b[1] the bias of unit 1. others, in a table such as "
    "{ w = 0.5, others = 1 }: all arrays that it does not name.",
    "step": "one update of the weights.",
    "epoch": "one pass over all patterns; with batch = full it is one step.",
    "evaluation": "the moment at which losses are computed and compared with criterion and stopping rule: at step 0, "
    "after each epoch (in full batch each step), and after the last step. Held-out patterns are evaluated at step 0 "
    "and every validate_every epochs.",
    "status": "how a run ended: converged, diverged, stalled, plateau or exhausted.",
    "converged": "the run met the criterion, by default a loss below the threshold, within its steps.",
    "diverged": "the loss was not finite, or above the divergence threshold.",
    "stalled": "no further update can change the weights or the state of the optimizer, so the run ended early.",
    "exhausted": "the run reached its step limit before it ended otherwise (right-censored).",
    "plateau": "the stopping rule ended the run: by default the monitored value did not improve for as many "
    "evaluations as patience allows.",
    "interval": "the brackets after a number hold a 95 % confidence interval: if the study were repeated with other "
    "seeds, 95 % of such intervals would contain the true value, that of infinitely many seeds. 'sweep explain "
    "STATISTIC' names the method.",
    "race": "training in rounds, after each of which cells that cannot be the best get no more seeds: "
    '[seeds] until = { best = "rate" }. More keys of until: confidence (0.95), margin (differences up to it do not '
    "matter), compare (means or wins), first (seeds of the first round).",
    "importance": "how much of the variance between runs each option explains: alone (main effect, column share), "
    "together with a second option beyond both main effects (interaction), and with all its interactions (total "
    "effect, column total_share). The share of the seed is chance.",
    "answer": "the sentences in which 'sweep run' and 'sweep show' sum up a result.",
    "kernel": "the compiled code that trains networks of one shape with the same components.",
    "tile": "256 x 256 pixels of a map ('sweep explore'), each a network. Level 0 of a map is one tile.",
    "common random numbers": "all cells use the same seeds, so two cells can be compared seed by seed, which makes "
    "differences more certain.",
    "digest": "the SHA-256 of all rows in run order. Equal digests mean equal bits in every row.",
    "identity": "the SHA-256 of the canonical study. Name and description do not count.",
    "part": "runs that are trained and committed together.",
    "shard": "one of N shares of a study, trained by --shard I/N, for example on another machine.",
    "censored": "ended before it converged, at its last step, so only a lower bound of its steps is known.",
    "ERT": "expected running time (Hansen et al., 2021), the statistic expected_steps.",
    "RMST": "restricted mean survival time, the statistic restricted_mean_steps.",
}

_SYNONYMS = {
    **{"configuration": "cell", "cells": "cell", "runs": "run", "confidence interval": "interval"},
    **{"ert": "ERT", "rmst": "RMST", "right-censored": "exhausted", "censoring": "censored", "replicates": "replicate"},
    **{"racing": "race", "main effect": "importance", "total effect": "importance", "interaction": "importance"},
    **{
        "accuracy": "train_accuracy",
        "array": "arrays",
        "kernels": "kernel",
        "tiles": "tile",
        "evaluations": "evaluation",
    },
    **dict.fromkeys(("w", "v", "b", "c", "k"), "arrays"),
    **dict.fromkeys(("held-out", "held out", "validation patterns", "test patterns"), "held-out patterns"),
    **{"may be the best": "may_be_best", "contender": "may_be_best", "p-value": "p_value"},
}


def term_of(name: str) -> str:
    """Return the term, or the column of a statistic, that a name means; the name itself if there is none."""
    spoken = name.replace("_", " ")
    return _SYNONYMS.get(name) or _SYNONYMS.get(spoken) or (spoken if spoken in TERMS else name)
