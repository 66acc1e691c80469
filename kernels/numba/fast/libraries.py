"""How the functions of a kernel become machine code: all of them at once, as one module of LLVM.

Numba optimizes each function, optimizes it again in each of its callers, and generates machine code for it.
A kernel here consists of about a hundred functions, of which Python calls one. The others are its parts, which stay
LLVM text until the kernel is complete. Then LLVM takes them from the bottom up: it optimizes each once, and
then inlines it into its callers; a function that runs rarely or for long is called instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from llvmlite.binding import parse_assembly, set_option
from llvmlite.binding.newpassmanagers import NewPassManager
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import require_global_compiler_lock
from numba.core.runtime.nrt import rtsys

from kernels.numba.fast.stored_parts import Call, Code, part_at, place_of

# Functions with the hint to inline them are inlined up to this cost, which means always: "alwaysinline" would inline
# them before anything is optimized, so that each call would be optimized separately.
_HINT_OPTION, _ALWAYS, _LLVMS_DEFAULT = "-inlinehint-threshold", 1_000_000, 325

# Names of parts in texts, the same in every kernel: of the part itself, and of those that it calls.
OWN = "part"
_SYMBOL = re.compile(r'"(part\.\d+)"')


def symbol(number: int) -> str:
    """Return the name, in the text of a caller, of the part that it calls with this number."""
    return f"part.{number}"


class _Library(JITCodeLibrary):
    """The code of a function as LLVM's text, and the libraries of those that it calls.

    Parts that it calls have names by their numbers in the texts; libraries of functions of Numba's own are in order.
    """

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.texts: list[str] = []
        self.parts: list[Part] = []
        self.others: dict[Any, None] = {}

    def add_linking_library(self, library: Any) -> None:
        """Remember a library, but not that of reference counts, which Numba always passes."""
        if not isinstance(library, Part):
            self.others |= {} if library is rtsys.library else {library: None}
        elif library not in self.parts:
            self.parts.append(library)

    def add_ir_module(self, ir_module: Any) -> None:
        """Keep code as text, which takes little memory and can be used by several kernels."""
        ir_module.name = OWN  # Numba's is another one in each process
        self.texts.append(str(ir_module))

    def linked(self, made: Linked) -> Iterator[str]:
        """Yield the texts with the names that parts have in a kernel."""
        names = {symbol(number): part.link(made) for number, part in enumerate(self.parts)}
        made.others.update(self.others)
        for text in self.texts:
            named = _SYMBOL.sub(lambda found: f'"{names.get(found[1], found[1])}"', text)
            # Parts of equal code have one name, which LLVM requires to be declared once.
            yield named if len(set(names.values())) == len(names) else _declared_once(named)


def _declared_once(text: str) -> str:
    """Return LLVM's text without its repeated declarations."""
    declared: set[str] = set()
    lines = []
    for line in text.split("\n"):
        if not line.startswith("declare ") or line not in declared:
            lines.append(line)
        declared.add(line)
    return "\n".join(lines)


class Linked(NamedTuple):
    """The parts of a kernel: their names, the text of each name, and Numba's own libraries."""

    names: dict[Part, str]
    texts: dict[str, str]
    others: dict[Any, None]


class Part(_Library):
    """A function that other functions of ours call, with Numba's types."""

    result: Any
    attribute: str  # its attribute in LLVM

    def __init__(self, codegen: Any, function: Any, arguments: tuple[Any, ...]) -> None:
        super().__init__(codegen, function.__qualname__)
        self.function, self.arguments = function, arguments

    def finalize(self) -> None:
        """Do nothing: kernels that call the function take in its text."""
        self._finalized = True

    def link(self, made: Linked) -> str:
        """Add the code to that of a kernel, and return its name there, which equal code has in common."""
        if self not in made.names:
            text = "\n".join(self.linked(made))
            name = f"{self.name}.{hashlib.sha256(text.encode()).hexdigest()[:32]}"
            made.names[self] = name
            made.texts[name] = text.replace(f'"{OWN}"', f'"{name}"')
        return made.names[self]

    def code(self) -> Code | None:
        """Return the code to store; None if it would not identify all parts that it calls."""
        calls = []
        for part in self.parts:
            place = place_of(part.function, self.function, part.arguments)
            if place is None:
                return None
            calls.append(Call(place, part.arguments, part.result))
        return None if self.others else Code(tuple(self.texts), self.arguments, self.result, tuple(calls))

    def take(self, code: Code) -> bool:
        """Take over stored code, if the parts that it calls have the same types here."""
        for call in code.calls:
            part = part_at(call.place, self.function, call.arguments)
            part.compile(call.arguments)
            compiled = part.overloads[call.arguments]
            if compiled.signature.return_type != call.result:
                return False
            self.add_linking_library(compiled.library)
        self.result = code.result
        self.texts = list(code.texts)
        return True


class Kernel(_Library):
    """A function that Python calls, with the code of all its parts."""

    n_passes: int  # how often LLVM's passes go over it

    def finalize(self) -> None:
        """Join all code, optimize it and generate machine code."""
        module = self._final_module
        made = Linked({}, {}, {})
        for text in self.linked(made):
            module.link_in(parse_assembly(text))
        called_from_outside = {function.name for function in module.functions if not function.is_declaration}
        for text in made.texts.values():
            module.link_in(parse_assembly(text))
        for library in made.others:
            module.link_in(library._get_module_for_linking(), preserve=True)
        for function in module.functions:
            if not function.is_declaration and function.name not in called_from_outside:
                function.linkage = "internal"
        for _ in range(self.n_passes):
            self._optimize()
        module.verify()
        self._finalize_final_module()

    def _optimize(self) -> None:
        """Run LLVM's passes over the kernel, and free them: llvmlite would keep 16 MB of each.

        LLVM's option is one of the process, but all of Numba's compiling takes turns.
        """
        require_global_compiler_lock()
        builder = self._codegen._pass_builder()
        set_option("kernels", f"{_HINT_OPTION}={_ALWAYS}")
        passes = builder.getModulePassManager()
        set_option("kernels", f"{_HINT_OPTION}={_LLVMS_DEFAULT}")  # the passes have read it
        try:
            passes.run(self._final_module, builder)
        finally:
            NewPassManager._dispose(passes)
            passes.detach()
