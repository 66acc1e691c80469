"""The benchmark: the same networks trained by xor-sweep and by other tools.

case -> worker process for each peer -> interleaved pairs -> tables, JSON
"""
