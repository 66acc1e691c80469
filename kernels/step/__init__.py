"""One training step of a packet: where its data lies, the forward pass, the backward pass and the updates.

Functions named ``make_..`` build the functions that kernels inline. These are their common arguments:

- ``recipe``: the components that decide the bits, :class:`kernels.recipe.Recipe`;
- ``variant``: the choices that decide only speed, :class:`kernels.variant.Variant`;
- ``memory``: loads and stores rows of lanes, :class:`kernels.lanes.lane_rows.Memory`;
- ``source``: how patterns are read, :class:`kernels.data.patterns.PatternSource`;
- ``n_patterns``: how many patterns a block has;
- ``slopes``: whether a backward pass follows, which needs derivatives of activations;
- ``mode``: whether gradients update parameters or are added up, as in :mod:`kernels.step.update`.

The functions that they return take ``patterns`` (:class:`kernels.data.patterns.Patterns`), ``packet``
(:class:`kernels.data.packet.Packet`), ``n0`` (the number of the first pattern of a block or window), and the numbers of
a hidden unit ``h``, an input ``i`` and an output ``o``. All numbers count from 0.
"""
