"""Rows of control that every packet has: settings of each run, and results of evaluation it.

Behind them lie those of the components of a recipe; see :func:`kernels.step.control_layout.make_control_layout`.
"""

# Rows before GIVEN_ROWS are written when a run takes a lane.
(
    RATE,
    OUTPUT_RATE,
    BELOW,
    BOUND,
    HIDDEN_SCALE,  # gain times the scale of the hidden layer; several have their own, see packet.Stack
    OUTPUT_SCALE,
    DECAY,  # of weights
    WARMUP,  # updates
    BELOW_NOW,  # BELOW; NaN while it is too early to converge
    PREVIOUS,  # the loss when the run was evaluated before
    LATEST,  # the loss that the inner loop has just seen
    LOSS,  # this row and those below pass data between code for all lanes and code for single lanes
    N_CORRECT,
    MAX_ERROR,
    CONVERGED_FLAG,
    STALLED_FLAG,
    ACTIVE_FLAG,  # whether a run occupies the lane
    FINITE_FLAG,
    COMMON_ROWS,
) = range(19)
GIVEN_ROWS = BELOW_NOW
