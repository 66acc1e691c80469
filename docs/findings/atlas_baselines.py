"""Score baselines on the tasks of the atlas, with scikit-learn: python docs/findings/atlas_baselines.py [seeds]."""

import sys

import numpy as np
from scipy.stats import t as student
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sweep

SEEDS, SPLITS = int(sys.argv[1]) if sys.argv[1:] else 18_000, 10


def score(values, digits=3):
    """Return the mean over splits and its 95 % interval."""
    half = student.ppf(0.975, SPLITS - 1) * np.std(values, ddof=1) / SPLITS**0.5
    return f"{np.mean(values):.{digits}f} ± {half:.{digits}f}"


def linear():
    """Return a logistic regression on standardized features."""
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))


def trees():
    """Return boosted trees."""
    return HistGradientBoostingClassifier(random_state=0)


def print_areas(name, features, success, splits, model):
    """Print the areas under the ROC curve of a model that is trained and tested on each split."""
    areas = []
    for train, test in splits:
        model.fit(features[train], success[train])
        areas.append(roc_auc_score(success[test], model.predict_proba(features[test])[:, 1]))
    print(f"  {name:42} {score(areas)}")


print("1. success from the losses of the first 10 steps; area under the ROC curve:")
steps = list(range(11))
study = sweep.load_study("xor-atlas", {"seeds.count": 40, "record.curves": {"seeds": 40, "steps": steps}})
result = sweep.run(study)
rows = result.runs(["run", "cell", "seed", "status", "steps"]).set_index("run")
curves = result.learning_curves()
losses = curves[curves["steps"] <= steps[-1]].pivot(index="run", columns="steps", values="train_loss").dropna()
rows = rows.loc[losses.index]
undecided = (rows["steps"] > steps[-1]).to_numpy()
rows, losses = rows[undecided], np.log(losses.to_numpy()[undecided])
success, cell, late = (rows["status"] == "converged").to_numpy(), rows["cell"].to_numpy(), rows["seed"].to_numpy() >= 20
print(f"  {len(rows):,} runs that take more than 10 steps, {success.mean():.1%} converge")
# A split tests cells and seeds that are new.
splits = [((cell % SPLITS != k) & ~late, (cell % SPLITS == k) & late) for k in range(SPLITS)]
print_areas("loss at step 10", losses[:, -1:], success, splits, linear())
print_areas("11 losses, logistic regression", losses, success, splits, linear())
print_areas("11 losses, boosted trees", losses, success, splits, trees())

splits = [(np.arange(SEEDS) % SPLITS != k, np.arange(SEEDS) % SPLITS == k) for k in range(SPLITS)]
print("\n2. success from the initial weights, 3 hidden units; area under the ROC curve:")
for activation, optimizer, rate in [("relu", "gd", 1.0), ("tanh", "momentum", 0.1), ("sigmoid", "adam", 0.1)]:
    values = {"activation": activation, "optimizer": optimizer, "learning_rate": rate, "scale": 1.0, "hidden": 3}
    result = sweep.run(sweep.load_study("xor-atlas", {**values, "seeds.count": SEEDS, "record.weights": "initial"}))
    success = (result.runs(["status"])["status"] == "converged").to_numpy()
    weights = result.weights(0, "initial")
    units = np.concatenate([weights["w"], weights["b"][:, None], weights["v"].transpose(0, 2, 1)], axis=1)
    raw = np.concatenate([units.reshape(len(units), -1), weights["c"]], axis=1)
    # The order of hidden units means nothing: the first is that with the largest weight to the output.
    order = np.argsort(-np.abs(units[:, -1]), axis=1)[:, None]
    ordered = np.concatenate([np.take_along_axis(units, order, axis=2).reshape(len(units), -1), weights["c"]], axis=1)
    print(f"  {activation}, {optimizer} {rate}: {success.mean():.1%} of {SEEDS:,} converge")
    print_areas("weights, logistic regression", raw, success, splits, linear())
    print_areas("weights, boosted trees", raw, success, splits, trees())
    print_areas("units in order, boosted trees", ordered, success, splits, trees())

print("\n3. the best of 351 configurations of 2 hidden units, with few runs; regret in points:")
study = sweep.load_study("xor-atlas", {"hidden": 2, "seeds.count": SEEDS})
cells = [rows["status"].eq("converged").to_numpy() for rows in sweep.run(study).batches(["status"])]
table = np.concatenate(cells).reshape(study.n_cells, SPLITS, SEEDS // SPLITS)
blocks = [table[:, k] for k in range(SPLITS)]
truths = [np.delete(table, k, axis=1).mean(axis=(1, 2)) for k in range(SPLITS)]


def random_search(block, runs, rng, seeds=20):
    """Try configurations drawn at random with 20 seeds each, and return the best one."""
    tried = rng.choice(len(block), min(runs // seeds, len(block)), replace=False)
    return tried[block[tried, :seeds].mean(axis=1).argmax()]


def uniform(block, runs, rng):
    """Try all configurations with as many seeds as there are runs for, and return the best one."""
    order = rng.permutation(len(block))
    return order[block[order, : runs // len(block)].mean(axis=1).argmax()]


def halving(block, runs, rng):
    """Give each round as many runs, and keep the better half of the configurations (successive halving)."""
    left, used = rng.permutation(len(block)), 0
    rounds = int(np.ceil(np.log2(len(block))))
    for _ in range(rounds):
        used = min(used + max(runs // rounds // len(left), 1), block.shape[1])
        left = left[np.argsort(-block[left, :used].mean(axis=1), kind="stable")][: -(-len(left) // 2)]
    return left[0]


def regret(truth, chosen):
    """Return how many points less often than the best configuration the chosen one converges."""
    return 100 * (truth.max() - truth[chosen])


for runs in (1_000, 3_000, 10_000, 30_000):
    for search in (random_search, uniform, halving):
        found = [
            np.mean([regret(truth, search(block, runs, np.random.default_rng(k))) for k in range(20)])
            for block, truth in zip(blocks, truths, strict=True)
        ]
        print(f"  {search.__name__:14} {runs:7,} runs  {score(found, 2)}")
for margin in (0.1, 0.03, 0.01):
    found, used = [], []
    for k, truth in enumerate(truths):
        until = {"best": "rate", "margin": margin}
        seeds = {"seeds.base": k * (SEEDS // SPLITS), "seeds.count": SEEDS // SPLITS, "seeds.until": until}
        race = sweep.run(sweep.load_study("xor-atlas", {"hidden": 2, **seeds}))
        found.append(regret(truth, race.cells["convergence_rate"].argmax()))
        used.append(race.cells["n_runs"].sum())
    print(f"  race, margin {margin:<4} {np.mean(used):7,.0f} runs  {score(found, 2)}")
