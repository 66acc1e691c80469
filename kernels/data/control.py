"""Rows of control that every packet has: settings of each run, and results of its evaluation.

The rows of a recipe's components follow; see :func:`kernels.data.control_layout.make_control_layout`.
"""

# Rows before INITIAL_ROWS are written when a run takes a lane.
(
    RATE,
    OUTPUT_RATE,
    THRESHOLD,
    DIVERGENCE_THRESHOLD,
    HIDDEN_SCALE,  # gain times the scale of the one hidden layer; for several see packet.Stack
    OUTPUT_SCALE,
    DECAY,  # of weights
    WARMUP,  # updates
    THRESHOLD_NOW,  # THRESHOLD; NaN while it is too early to converge
    PREVIOUS,  # the loss at the evaluation before
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
INITIAL_ROWS = THRESHOLD_NOW
