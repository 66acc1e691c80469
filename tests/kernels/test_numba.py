"""The private parts of Numba and llvmlite that kernels use are those for which kernels were written.

Minor versions of Numba change them freely, so pyproject.toml allows only the version that is tested. To move to
another one: raise the range there, read each part that this test names as changed next to the module of kernels/numba
that uses it, and record the digest that the message shows.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import llvmlite
import numba
import pytest

import kernels

FOLDER = Path(kernels.__file__).parent

# Digests of the sources of private parts, by the module of kernels that extends, replaces or calls them.
RELIED_ON = {
    "numba/fast/pipelines": {
        "numba.core.compiler:CompileResult": "a4eb4c8684b4",
        "numba.core.compiler:CompilerBase.__init__": "394d87ab2f36",
        "numba.core.compiler:CompilerBase._compile_core": "9f6b3c1986df",
        "numba.core.compiler:CompilerBase.compile_extra": "09b90ed8a19d",
        "numba.core.compiler:DefaultPassBuilder.define_nopython_pipeline": "d643d727077e",
        "numba.core.compiler:compile_result": "257dcdb995f0",
        "numba.core.compiler_machinery:PassManager": "cad23dff1f48",
        "numba.core.typed_passes:IRLegalization": "7f8199e79d4c",
        "numba.core.typed_passes:NoPythonBackend": "62bbc1f1faea",
        "numba.core.typed_passes:NopythonTypeInference": "84c3b7fbe221",
        "numba.core.typed_passes:PreLowerStripPhis": "46a156875533",
        "numba.core.types.functions:Dispatcher": "f996f96835d8",
        "numba.core.typing.context:BaseContext.resolve_function_type": "81a6c18964e1",
        "numba.core.typing.context:Context": "54b1421928ff",
        "numba.core.typing.templates:signature": "2582315af26f",
        "numba.core.untyped_passes:DeadBranchPrune": "a67a6f4d5fc2",
        "numba.core.untyped_passes:FixupArgs": "fe5f2d0847f5",
        "numba.core.untyped_passes:GenericRewrites": "6342598edaad",
        "numba.core.untyped_passes:IRProcessing": "9dc467c9a6fb",
        "numba.core.untyped_passes:ReconstructSSA": "981be802c84a",
        "numba.core.untyped_passes:RewriteSemanticConstants": "5978310fb089",
        "numba.core.untyped_passes:TranslateByteCode": "75b8ce8ffc8c",
    },
    "numba/compiling": {
        "numba.core.compiler_lock:_CompilerLock.__enter__": "d24f907a043c",
        "numba.core.dispatcher:Dispatcher.compile": "0ab4aee15e79",
        "numba.core.event:Event.__init__": "dadc1744d355",
        "numba.core.event:Listener.notify": "036fa633ebf3",
        "numba.core.event:broadcast": "0c3ca6589b31",
        "numba.core.event:install_listener": "5a5fb6c7d135",
        "numba.core.event:register": "f30c7179504a",
    },
    "numba/fast/disk_cache": {
        "numba.core.compiler:CompileResult._rebuild": "44fa9dc22558",
        "numba.core.compiler:CompileResult._reduce": "5f86eacfa520",
        "numba.core.base:BaseContext.refresh": "83e8f5cc63a7",
        "numba.core.base:BaseContext.subtarget": "ee1774ced17e",
        "numba.core.serialize:dumps": "7b264fbf25a2",
    },
    "numba/entries": {
        "numba.core.codegen:CPUCodegen.magic_tuple": "754e19348032",
        "numba.core.cpu:CPUContext.codegen": "99b712c3e038",
        "numba.core.registry:CPUTarget": "4512e6921959",
    },
    "numba/machine_code": {
        "numba.core.base:BaseContext.refresh": "83e8f5cc63a7",
        "numba.core.compiler_lock:_CompilerLock.__enter__": "d24f907a043c",
        "numba.core.dispatcher:Dispatcher.compile": "0ab4aee15e79",
        "numba.core.typing.context:BaseContext.refresh": "144078234921",
    },
    "numba/target": {
        "numba.core.codegen:CPUCodegen._init": "a543a81ed6e2",
        "numba.core.registry:CPUTarget": "4512e6921959",
    },
    "numba/typed_calls": {
        "numba.core.types.functions:Dispatcher.get_call_type": "ae1ef289d128",
        "numba.core.types.functions:Dispatcher.get_impl_key": "a43b40607b47",
        "numba.core.typing.templates:AbstractTemplate.apply": "8c5f7129b8f3",
        "numba.core.typing.templates:infer": "88709b58912b",
        "numba.core.typing.templates:infer_global": "0ca558aaf49b",
    },
    "numba/fast/loading": {
        "numba.np.linalg:ensure_blas": "8eb05e44427d",
    },
    "numba/fast/libraries": {
        "llvmlite.binding.newpassmanagers:NewPassManager._dispose": "33e7ebb421c9",
        "numba.core.codegen:CPUCodeLibrary._finalize_final_module": "95bbf4fcbb90",
        "numba.core.codegen:CPUCodeLibrary._get_module_for_linking": "56dde0e0555b",
        "numba.core.codegen:CPUCodeLibrary.add_ir_module": "fb6dd665f0f6",
        "numba.core.codegen:CPUCodeLibrary.add_linking_library": "b7c82a3a3a8d",
        "numba.core.codegen:CPUCodeLibrary.finalize": "4b4c34b83488",
        "numba.core.codegen:CPUCodegen._pass_builder": "035dd9dd5f6d",
        "numba.core.codegen:CodeLibrary.__init__": "1de447705f23",
        "numba.core.codegen:JITCPUCodegen": "e8e5b0b1011e",
        "numba.core.compiler_lock:require_global_compiler_lock": "f0bbdc45746c",
        "numba.core.codegen:JITCodeLibrary": "91930d5907bf",
        "numba.core.runtime.nrt:rtsys.__class__": "7320e0180884",
    },
    "numba/fast/lowering_parts": {
        "numba.core.base:BaseContext.active_code_library.fget": "4121b49f6877",
        "numba.core.base:BaseContext.add_linking_libs": "a0cb4a701d29",
        "numba.core.base:BaseContext.get_function": "a3602598ea18",
        "numba.core.base:BaseContext.insert_user_function": "f7ed5d870e5a",
        "numba.core.base:BaseContext.make_tuple": "e7b618f2785a",
        "numba.core.base:BaseContext.push_code_library": "c8b4b989b3cb",
        "numba.core.base:BaseContext.refresh": "83e8f5cc63a7",
        "numba.core.base:OverloadSelector": "7e33fbac970b",
        "numba.core.callconv:CPUCallConv": "2840bb216163",
        "numba.core.cgutils:get_or_insert_function": "b9658a3627d8",
        "numba.core.cgutils:unpack_tuple": "9058e083eedf",
        "numba.core.compiler_machinery:LoweringPass": "7b374f7a5822",
        "numba.core.compiler_machinery:register_pass": "a434aed40bea",
        "numba.core.cpu:CPUContext": "61f23f1e9a6c",
        "numba.core.funcdesc:PythonFunctionDescriptor.from_specialized_function": "d4c7b81979cd",
        "numba.core.ir:Assign": "ba2bbb7bca95",
        "numba.core.ir:Return": "6a864defeb74",
        "numba.core.lowering:BaseLower": "d42561d14a28",
        "numba.core.lowering:Lower": "d94cfb5146db",
        "numba.core.typed_passes:NativeLowering.run_pass": "0b482df48654",
        "numba.core.types.containers:StarArgUniTuple": "2beb3f17b07a",
    },
    "numba/libm": {
        "numba.core.cgutils:get_or_insert_function": "b9658a3627d8",
    },
    "lanes/lowering_functions": {
        "numba.core.cgutils:get_or_insert_function": "b9658a3627d8",
    },
    "lanes/lowering_rows": {
        "numba.core.cgutils:alloca_once": "c97e124b43ef",
    },
    "numba/fast/stored_parts": {
        "numba.core.dispatcher:Dispatcher.__init__": "7b7bc34e60e7",
        "numba.core.dispatcher:Dispatcher.compile": "0ab4aee15e79",
        "numba.core.dispatcher:_DispatcherBase.add_overload": "3cd1a5150786",
        "numba.core.serialize:dumps": "7b264fbf25a2",
    },
}


def _source(name: str) -> str | None:
    """Return the source of a part, or None if it no longer exists."""
    module, _, path = name.partition(":")
    try:
        part: Any = reduce(getattr, path.split("."), import_module(module))
    except (ImportError, AttributeError):
        return None
    return inspect.getsource(part)


def _changes() -> Iterator[str]:
    """Name the parts that are gone or whose source has changed, and the modules that use them."""
    for module, parts in RELIED_ON.items():
        for name, digest in parts.items():
            source = _source(name)
            found = source and hashlib.sha256(source.encode()).hexdigest()[:12]
            if found != digest:
                yield f"{name}, used by kernels/{module}.py: {f'changed, now {found}' if found else 'gone'}"


def _is_set_by_its_class(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"


def test_private_parts_of_numba_are_the_known_ones() -> None:
    """Each part that kernels extend, replace or call has the recorded source."""
    changes = list(_changes())
    assert not changes, "\n".join((f"numba {numba.__version__} and llvmlite {llvmlite.__version__}:", *changes))


def test_a_part_that_changes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what has changed, what is missing, and where it is used."""
    monkeypatch.setattr("numba.core.codegen.CPUCodegen.magic_tuple", lambda self: ())
    monkeypatch.delattr("numba.core.cgutils.alloca_once")
    text = "\n".join(_changes())
    assert "numba.core.codegen:CPUCodegen.magic_tuple, used by kernels/numba/entries.py: changed, now " in text
    assert "numba.core.cgutils:alloca_once, used by kernels/lanes/lowering_rows.py: gone" in text


def test_all_private_parts_in_use_are_known() -> None:
    """Modules that kernels import from Numba's core, and private attributes of others, are listed above."""
    names = [name for parts in RELIED_ON.values() for name in parts]
    known = {name.partition(":")[0] for name in names}
    text = "\n".join(_source(name) or "" for name in names)
    trees = [ast.parse(path.read_text("utf-8")) for path in FOLDER.glob("**/*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    assert {module for module in imported if module.startswith("numba.core.")} <= known
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr)}
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)} | {
        "_asdict",
        "_make",
        "_replace",
    }  # named tuples'
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and _is_set_by_its_class(node)}
    assert used - own >= {"_cache", "_dispose", "_tm"}
    assert {name for name in used - own if not re.search(rf"\b{name}\b", text)} == set()
