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
    "step": "one update of the parameters.",
    "epoch": "one pass over all patterns; with batch = full it is one step.",
    "status": "how a run ended: converged, diverged, stalled, plateau or exhausted.",
    "converged": "the run met the criterion, by default a loss below the threshold, within its steps.",
    "diverged": "the loss was not finite, or above the divergence threshold.",
    "stalled": "no further update can change the parameters or the state of the optimizer, so the run ended early.",
    "exhausted": "the run reached its last step without another end (right-censored).",
    "plateau": "the stopping rule ended the run: by default the monitored value did not improve for as many "
    "evaluations as patience allows.",
    "interval": "the brackets after a number: if a study were repeated with other seeds, 95 % of such intervals would "
    "contain the value that ever more seeds approach. 'sweep explain STATISTIC' names the method.",
    "race": 'seeds only for the cells that may still be the best, as until = { best = "rate" } says. Its keys: '
    "confidence (0.95), margin (a difference that does not matter), compare (means or wins), first (seeds of the "
    "first round).",
    "importance": "how much of the variance between runs each option explains: by itself (main effect, column share), "
    "jointly with a second one beyond both main effects (interaction), and with all its interactions (total effect, "
    "column total_share). What the seed explains is chance.",
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
    **{"accuracy": "train_accuracy"},
    **{"may be the best": "may_be_best", "contender": "may_be_best", "p-value": "p_value"},
}


def term_of(name: str) -> str:
    """Return the term, or the column of a statistic, that a name means; the name itself if there is none."""
    return _SYNONYMS.get(name, name)
