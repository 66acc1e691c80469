"""Rows of control: what is given with each run, what an optimizer works on, and what the judge writes."""

# Rows of control. Those before GIVEN_ROWS are given when a run takes its seat: its settings, and 1 for adam's powers.
(
    RATE,
    OUTPUT_RATE,
    BELOW,
    BOUND,
    HIDDEN_SCALE,  # gain times the scale of the hidden layer
    OUTPUT_SCALE,
    NEGATIVE_SLOPE,
    MOMENTUM,
    ALPHA,
    BETA1,
    BETA2,
    EPS,
    POWER1,  # beta1 to the power of the updates taken
    POWER2,
    NEXT_POWER1,  # those with the update that is taken or tried
    NEXT_POWER2,
    STEP,  # adam's learning rates, corrected for the start at 0
    OUTPUT_STEP,
    STEP_EPS,
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
    CONTROL_ROWS,
) = range(30)
GIVEN_ROWS = NEXT_POWER1
