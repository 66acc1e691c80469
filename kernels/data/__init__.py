"""What functions of a kernel work on: rows of control, a packet of networks, and patterns."""
