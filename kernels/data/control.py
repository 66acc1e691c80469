"""Rows of control that every packet has: what is given with each run, and what the judge writes.

Behind them lie those of the words of a recipe; see :func:`kernels.step.layout.make_control_layout`.
"""

# Those before GIVEN_ROWS are given when a run takes its seat.
(
    RATE,
    OUTPUT_RATE,
    BELOW,
    BOUND,
    HIDDEN_SCALE,  # gain times the scale of the hidden layer
    OUTPUT_SCALE,
    DECAY,  # of weights
    BELOW_NOW,  # BELOW; NaN while it is too early to converge
    PREVIOUS,  # the loss when the run was judged before
    LATEST,  # the loss that the inner loop has just seen
    LOSS,  # from here on what code for all lanes and code lane by lane tell each other
    N_CORRECT,
    MAX_ERROR,
    CONVERGED_FLAG,
    STALLED_FLAG,
    ACTIVE_FLAG,  # whether a run sits in the lane
    FINITE_FLAG,
    COMMON_ROWS,
) = range(18)
GIVEN_ROWS = BELOW_NOW
