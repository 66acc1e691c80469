"""Change the last bits of one initial weight of a published notebook: python docs/findings/last_bit.py."""

import numpy as np
from matplotlib.figure import Figure

import sweep

N, STEPS, RATE = 64, 10_000, 1.2
STEPS_SHOWN = [0, 10, 100, *range(1_000, STEPS + 1, 500)]

# The notebook's flower: two classes of 200 points each, with NumPy's legacy generator.
random = np.random.RandomState(1)
inputs = []
for j in range(2):
    t = np.linspace(3.12 * j, 3.12 * (j + 1), 200) + 0.2 * random.randn(200)
    r = 4 * np.sin(4 * t) + 0.2 * random.randn(200)
    inputs += np.column_stack([r * np.sin(t), r * np.cos(t)]).tolist()
random = np.random.RandomState(2)
w = 0.01 * random.randn(4, 2).T
v = 0.01 * random.randn(1, 4).T
near = [float(w[0, 0])]
while len(near) < N:
    near.append(float(np.nextafter(near[-1], 1)))  # the next number of 64 bits
content = {
    "name": "last-bit",
    "data": {"inputs": inputs, "targets": [[j] for j in (0, 1) for _ in range(200)]},
    "network": {"hidden": 4, "activation": "tanh", "output": "sigmoid"},
    "initial_weights": {"values": {"w": w.tolist(), "b": 0, "v": v.tolist(), "c": 0}},
    "training": {"loss": "bce", "reduction": "mean", "learning_rate": RATE, "max_steps": STEPS},
    "convergence": {"criterion": "none"},
    "seeds": {"count": 1},
}
curves = {"record": {"curves": {"seeds": 1, "steps": STEPS_SHOWN}}, "parameters": {"w[0,0]": near}}
losses = sweep.run(sweep.Study(**content, **curves)).learning_curves()
losses = losses[losses["steps"].isin(STEPS_SHOWN)].pivot(index="steps", columns="cell", values="train_loss")
spread = losses.max(axis=1) - losses.min(axis=1)

# How sharp the loss is along the way of the notebook's own weights: beyond 2 / rate, steps along it overshoot.
limits = [*range(250, STEPS + 1, 250)]
del content["training"]["max_steps"]
content |= {"record": {"measures": ["sharpness"]}, "parameters": {"max_steps": limits}}
sharpness = sweep.run(sweep.Study(**content)).runs(["max_steps", "sharpness"]).set_index("max_steps")["sharpness"]

print(f"w[0,0] from {near[0]!r} to {near[-1]!r}")
table = losses.agg(["min", "median", "max"], axis=1).assign(spread=spread, sharpness=sharpness)
print(table.loc[[0, 100, *range(1_000, STEPS + 1, 1_000)]].to_string(float_format="{:.6g}".format))
print(f"2 / rate = {2 / RATE:.4f}")

figure = Figure((9, 3.8), layout="constrained")
left, middle, right = figure.subplots(1, 3)
late = losses.loc[6_000:]
left.plot(late.index, late.to_numpy(), lw=0.6)
left.set(xlabel="steps", ylabel="cost", title=f"{N} starts that differ in last bits")
middle.semilogy(spread.index, spread.where(spread > 0), marker=".")
middle.set(xlabel="steps", ylabel="largest minus smallest cost", title="spread of cost")
right.plot(sharpness.index, sharpness.to_numpy())
right.axhline(2 / RATE, color="0.5", ls="--")
right.set(xlabel="steps", ylabel="largest eigenvalue of the Hessian", title="sharpness, and 2 / rate")
figure.savefig("last_bit.png", dpi=120)
