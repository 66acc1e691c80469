"""How any table of a study file is read: forms of values, faults, suggestions for unknown names."""
