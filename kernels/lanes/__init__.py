"""The SIMD number: W networks side by side in one value.

Kernels are written over *lanes* (a vector of W equal-typed numbers) and *masks*
(W booleans). Compiled, a lanes value is an LLVM vector that lives in registers
and every operator is one instruction or a few; see :mod:`kernels.lanes.lowering`.
With the JIT off a lanes value is a one-dimensional NumPy array, so the same
source gives the same bits, element by element.

Operators: ``+ - * /``, comparisons, and for masks ``& | ~``; for unsigned
integer lanes ``+ - * ^ & | << >>``. A scalar operand is rounded to the type of
the lanes first, so float32 never widens.

No lane depends on its neighbors: ``any_lane`` is the only function that
reads several, and it only decides whether to take a branch.
"""
