"""Second derivatives of the loss of trained networks: the largest eigenvalue of the Hessian."""
