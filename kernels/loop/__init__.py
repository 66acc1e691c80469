"""The loop around the step: which run occupies which lane, when a run ends, and what is recorded of it.

- ``kernel``: the kernel. In one turn of its inner loop every packet is evaluated and advances by a step or an epoch.
- ``end_runs``: the rare turn in which a run may end: it is evaluated and recorded, and the next run takes its lane.
- ``evaluation``: the convergence criterion, divergence and stall, for all lanes of a packet at once.
- ``held_out``: held-out patterns are evaluated, and the best parameters by them are kept.
- ``metrics``: the number of correct outputs, the largest error, and a check for numbers that are not finite.
- ``lane_assignment``: assigns runs to lanes and records outcomes; an array (``seats``) holds the run of each lane.
- ``shuffled_patterns``: writes the patterns of an epoch in the shuffled order of each lane.
- ``registers``: which data of packets the inner loop keeps in registers.
- ``run_arrays``: the runs to train and the arrays that their results are written to.

Functions named ``make_..`` take the arguments that :mod:`kernels.step` describes, and ``packets``, the functions of
:class:`kernels.loop.registers.PacketPlaces` that return packets.
"""
