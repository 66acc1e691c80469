"""Executors turn shards into commits: on threads of this machine, or on others."""
