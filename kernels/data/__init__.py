"""The data of a kernel: rows of control, a packet of networks, and patterns."""
