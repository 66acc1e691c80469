"""The benchmark: the same networks through xor-sweep and through everything else.

case -> worker process for each peer -> interleaved pairs -> table, figure, files
"""
