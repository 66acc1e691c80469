"""How Numba compiles the functions of kernels: without the steps that would change nothing in this package.

Functions here have no inner closures, ``with``, exceptions, array expressions or reference counts. The module is a
:class:`kernels.numba.choice.Compiler`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import Any

from numba.core.compiler import CompilerBase, compile_result
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import IRLegalization, NoPythonBackend, NopythonTypeInference, PreLowerStripPhis
from numba.core.types.functions import Dispatcher
from numba.core.typing.context import Context
from numba.core.typing.templates import signature
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FixupArgs,
    GenericRewrites,
    IRProcessing,
    ReconstructSSA,
    RewriteSemanticConstants,
    TranslateByteCode,
)
from numba.np import linalg

from kernels.numba.fast import stored_parts
from kernels.numba.fast.libraries import Part
from kernels.numba.fast.lowering_parts import (
    DeviceLowering,
    KernelLowering,
    QuickKernelLowering,
    RoutineLowering,
    publish,
)
from kernels.numba.fast.typed_calls import call_by_type as call_by_type


class _Steps(PassManager):
    """Steps of compiling, without the checks, events and analyses that Numba adds to each."""

    def run(self, state: Any) -> None:
        """Take all steps."""
        for make_step, _ in self.passes:
            step = make_step()
            step.analysis = self._analysis
            step.run_pass(state)


class _TypingContext(Context):
    """Numba's typing context, which remembers the result types of operators and of Numba's functions.

    Numba would try twenty candidates for each addition of two numbers.
    """

    known: dict[Any, Any]

    def resolve_function_type(self, function: Any, args: Any, kws: Any) -> Any:
        """Return the signature of a call."""
        if kws or isinstance(function, Dispatcher):
            return super().resolve_function_type(function, args, kws)
        found = self.known.get((function, args))
        if found is None:
            found = self.known[function, args] = super().resolve_function_type(function, args, kws)
        return found


@cache
def _typing_context(context: Context) -> _TypingContext:
    """Return a context that shares the knowledge of another one."""
    remembering: Any = copy(context)
    remembering.__class__ = _TypingContext
    remembering.known = {}
    made: _TypingContext = remembering
    return made


@register_pass(mutates_CFG=True, analysis_only=False)
class _TypeInference(NopythonTypeInference):
    """Numba's step that finds the types of all values."""

    _name = "type_inference"

    def run_pass(self, state: Any) -> bool:
        """Find the types, with the help of those found before."""
        usual = state.typingctx
        state.typingctx = _typing_context(state.typingctx)
        try:
            return bool(super().run_pass(state))
        finally:
            state.typingctx = usual


class _Compiler(CompilerBase):
    """Compiles a function in few steps."""

    last_steps: tuple[type, ...]

    def define_pipelines(self) -> list[PassManager]:
        """Return the steps of compiling."""
        steps = _Steps("nopython")
        for step in (
            TranslateByteCode,
            FixupArgs,
            IRProcessing,
            RewriteSemanticConstants,
            DeadBranchPrune,
            GenericRewrites,
            ReconstructSSA,
            _TypeInference,
            PreLowerStripPhis,
            *self.last_steps,
            NoPythonBackend,
        ):
            steps.add_pass(step, step._name)
        steps.finalize()
        return [steps]


class _PartCompiler(_Compiler):
    """Compiles a function that other functions call, or takes its stored code."""

    def compile_extra(self, function: Any) -> Any:
        """Compile a function, or take its stored code."""
        state = self.state
        part = state.library = Part(state.targetctx.codegen(), function, state.args)
        key = stored_parts.key_of(type(self), function, state.args)
        code = stored_parts.find(key) if key else None
        if code and part.take(code):
            return self._taken(part)
        compiled = super().compile_extra(function)
        code = part.code()
        if key and code:
            stored_parts.add(key, code)
        return compiled

    def _taken(self, part: Part) -> Any:
        """Return what Numba needs to know of a compiled function."""
        state = self.state
        return compile_result(
            typing_context=state.typingctx,
            target_context=state.targetctx,
            entry_point=publish(state.targetctx, part),
            library=part,
            signature=signature(part.result, *state.args),
            fndesc=None,
            objectmode=False,
        )


class DeviceCompiler(_PartCompiler):
    """Compiles functions that are inlined."""

    last_steps = (DeviceLowering,)


class RoutineCompiler(_PartCompiler):
    """Compiles functions that kernels call."""

    last_steps = (RoutineLowering,)


class KernelCompiler(_Compiler):
    """Compiles functions that Python calls, with all their parts."""

    last_steps = IRLegalization, KernelLowering

    def compile_extra(self, function: Any) -> Any:
        """Compile a function."""
        with _collector_paused(), stored_parts.storing():
            return super().compile_extra(function)


class QuickKernelCompiler(KernelCompiler):
    """Compiles functions that Python calls faster, to slower code."""

    last_steps = IRLegalization, QuickKernelLowering


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause Python's garbage collector: there is almost no garbage before a kernel is compiled."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


NAME = "fast"
DEVICE: dict[str, Any] = {"pipeline_class": DeviceCompiler}
ROUTINE: dict[str, Any] = {"pipeline_class": RoutineCompiler}
KERNEL: dict[str, Any] = {"pipeline_class": KernelCompiler}
QUICK_KERNEL: dict[str, Any] = {"pipeline_class": QuickKernelCompiler}


def load_without_blas() -> None:
    """Load Numba's array functions without scipy.linalg, unless they are loaded.

    Numba imports scipy.linalg to find routines of linear algebra, which takes a third of the time that a kernel
    takes to load. Functions that need these routines look for them again.
    """
    if "numba.np.arraymath" in sys.modules:
        return
    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = look
    arraymath.ensure_blas = look


load_without_blas()
