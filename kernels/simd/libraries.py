"""How the functions of a kernel become machine code: once for each kernel, and not once for each caller.

Numba generates machine code of every function that it compiles, and optimizes what a function calls
again in each of its callers. Kernels here are made of about a hundred functions, of which Python calls
one. So those that are inlined are optimized only, and those that are called, rarely or for long, are
optimized once and linked into the kernel as they are.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import newpassmanagers
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

# In llvmlite these inherit a method that disposes of nothing: 16 MB that a kernel takes to compile would stay.
for manager in (newpassmanagers.ModulePassManager, newpassmanagers.FunctionPassManager):
    manager._dispose = newpassmanagers.NewPassManager._dispose


class _Library(JITCodeLibrary):
    """The code of a function with all that it inlines, and which routines it calls.

    Attributes
    ----------
    routines
        The libraries of those routines, and of what they call in turn, which come first.
    """

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.routines: dict[_Routine, None] = {}

    def add_linking_library(self, library: Any) -> None:
        """Take in the code of a function that is called, unless it is a routine's, and remember routines."""
        if isinstance(library, _Library):
            self.routines.update(library.routines)
        if isinstance(library, _Routine):
            self.routines[library] = None
        else:
            super().add_linking_library(library)


class _Part(_Library):
    """A function that other functions call: it is optimized, but no machine code of it alone is needed."""

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _Device(_Part):
    """A function that is inlined into others."""


class _Routine(_Part):
    """A function that others call, and whose code they see nothing of."""


class _Kernel(_Library):
    """A function that Python calls: it holds the code of all routines, each once."""

    def _optimize_final_module(self) -> None:
        super()._optimize_final_module()
        # Code that nothing in the module calls yet would be left out: those who call come first.
        for routine in reversed(self.routines):
            self._final_module.link_in(routine._get_module_for_linking(), preserve=True)


def make_codegen() -> Any:
    """Return a code generator for one kernel, whose machine code goes with it; Numba's own keeps all until the end."""
    return JITCPUCodegen("kernel")


class _Lowering(NativeLowering):
    """Numba's last step of compiling, into a library of ours."""

    library: type[_Library]

    def run_pass(self, state: Any) -> bool:
        """Generate the code of a function; ``state`` holds what Numba knows of it."""
        is_kernel = issubclass(self.library, _Kernel)
        codegen = make_codegen() if is_kernel else state.targetctx.codegen()
        state.library = self.library(codegen, state.func_id.func_qualname)
        state.library.enable_object_caching()
        if is_kernel:
            return bool(super().run_pass(state))
        state.flags.no_compile = True
        super().run_pass(state)
        # Callers find the code by an entry point that Numba takes to be a function for Python.
        entry_point: Any = {}.get
        state.targetctx.insert_user_function(entry_point, state["cr"].fndesc, [state.library])
        state["cr"] = state["cr"]._replace(cfunc=entry_point)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _DeviceLowering(_Lowering):
    _name, library = "device_lowering", _Device


@register_pass(mutates_CFG=True, analysis_only=False)
class _RoutineLowering(_Lowering):
    _name, library = "routine_lowering", _Routine


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(_Lowering):
    _name, library = "kernel_lowering", _Kernel


class _Compiler(CompilerBase):
    """Numba's compiler with another last step."""

    lowering: type[_Lowering]

    def define_pipelines(self) -> list[PassManager]:
        """Return the steps of compiling."""
        usual = DefaultPassBuilder.define_nopython_pipeline(self.state)
        steps = PassManager("nopython")
        for step, text in usual.passes:
            steps.add_pass(self.lowering if step is NativeLowering else step, text)
        steps.finalize()
        return [steps]


class DeviceCompiler(_Compiler):
    """Compiles functions that are inlined."""

    lowering = _DeviceLowering


class RoutineCompiler(_Compiler):
    """Compiles functions that kernels call."""

    lowering = _RoutineLowering


class KernelCompiler(_Compiler):
    """Compiles functions that Python calls."""

    lowering = _KernelLowering
