"""The loop around the step: who takes a lane, when a network ends, and what is written down."""
