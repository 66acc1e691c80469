"""Rows of control: what is given with each cell, what an optimizer works on, and what the judge writes."""

# Rows of control. The first ones are given with each cell, the next belong to an optimizer while it updates
# (adam's powers of beta are given, too), the others to the judge.
(
    RATE,
    OUTPUT_RATE,
    BELOW,
    BOUND,
    HIDDEN_SCALE,
    OUTPUT_SCALE,
    NEGATIVE_SLOPE,
    MOMENTUM,
    ALPHA,
    BETA1,
    BETA2,
    EPS,
    POWER1,
    POWER2,
    NEXT_POWER1,
    NEXT_POWER2,
    STEP,
    OUTPUT_STEP,
    STEP_EPS,
    PREVIOUS,
    LATEST,
    LOSS,
    N_CORRECT,
    MAX_ERROR,
    CONVERGED_FLAG,
    STALLED_FLAG,
    ACTIVE_FLAG,
    FINITE_FLAG,
    CONTROL_ROWS,
) = range(29)
GIVEN_ROWS = NEXT_POWER1
