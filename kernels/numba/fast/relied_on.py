"""The private parts of Numba and llvmlite for which the fast compiler was written, by the module that needs them.

Digests are those of their sources, which are read without importing anything. To make the fast compiler known to
another version of Numba: read each part that ``tests/kernels/test_numba.py`` names as changed beside the module here
that extends, replaces or calls it, and record its digest.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

RELIED_ON = {
    "pipelines": {
        "numba.core.compiler:CompileResult": "f5073bfcdbd6",
        "numba.core.compiler:CompilerBase.__init__": "394d87ab2f36",
        "numba.core.compiler:CompilerBase._compile_core": "9f6b3c1986df",
        "numba.core.compiler:CompilerBase.compile_extra": "09b90ed8a19d",
        "numba.core.compiler:DefaultPassBuilder.define_nopython_pipeline": "a32cab1608a3",
        "numba.core.compiler:compile_result": "ae3a4b92e2cf",
        "numba.core.compiler_machinery:PassManager": "9adb232186bd",
        "numba.core.typed_passes:IRLegalization": "99a44ba246de",
        "numba.core.typed_passes:NoPythonBackend": "0425d95f83ce",
        "numba.core.typed_passes:NopythonTypeInference": "762cc1dc5a18",
        "numba.core.typed_passes:PreLowerStripPhis": "4039cd2e10a8",
        "numba.core.types.functions:Dispatcher": "d0aadede6f2d",
        "numba.core.typing.context:BaseContext.resolve_function_type": "81a6c18964e1",
        "numba.core.typing.context:Context": "67c0e2f1dc6c",
        "numba.core.typing.templates:signature": "fe4d75183e94",
        "numba.core.untyped_passes:DeadBranchPrune": "fb513ecf4a95",
        "numba.core.untyped_passes:FixupArgs": "36c230036490",
        "numba.core.untyped_passes:GenericRewrites": "c2b98ee661a5",
        "numba.core.untyped_passes:IRProcessing": "c1a35eeb2ceb",
        "numba.core.untyped_passes:ReconstructSSA": "f6845e871411",
        "numba.core.untyped_passes:RewriteSemanticConstants": "a1704db10fb9",
        "numba.core.untyped_passes:TranslateByteCode": "d90ce7e26d59",
    },
    "typed_calls": {
        "numba.core.types.functions:Dispatcher.get_call_type": "ae1ef289d128",
        "numba.core.types.functions:Dispatcher.get_impl_key": "a43b40607b47",
        "numba.core.typing.templates:AbstractTemplate.apply": "8c5f7129b8f3",
        "numba.core.typing.templates:Registry.register": "88709b58912b",
        "numba.core.typing.templates:Registry.register_global": "0ca558aaf49b",
    },
    "loading": {
        "numba.np.linalg:ensure_blas": "242a5dd1a2d6",
    },
    "libraries": {
        "llvmlite.binding.newpassmanagers:NewPassManager._dispose": "33e7ebb421c9",
        "numba.core.codegen:CPUCodeLibrary._finalize_final_module": "95bbf4fcbb90",
        "numba.core.codegen:CPUCodeLibrary._get_module_for_linking": "56dde0e0555b",
        "numba.core.codegen:CPUCodeLibrary.add_ir_module": "fb6dd665f0f6",
        "numba.core.codegen:CPUCodeLibrary.add_linking_library": "b7c82a3a3a8d",
        "numba.core.codegen:CPUCodeLibrary.finalize": "4b4c34b83488",
        "numba.core.codegen:CPUCodegen._pass_builder": "035dd9dd5f6d",
        "numba.core.codegen:CodeLibrary.__init__": "1de447705f23",
        "numba.core.codegen:JITCPUCodegen": "75dc67675a07",
        "numba.core.codegen:JITCodeLibrary": "cc8cbe2b5e91",
        "numba.core.compiler_lock:require_global_compiler_lock": "bf1ab90142a8",
        "numba.core.runtime.nrt:_Runtime": "13ef9e717012",
    },
    "lowering_parts": {
        "numba.core.base:BaseContext.active_code_library": "7ceb26ecd244",
        "numba.core.base:BaseContext.add_linking_libs": "a0cb4a701d29",
        "numba.core.base:BaseContext.get_function": "a3602598ea18",
        "numba.core.base:BaseContext.insert_user_function": "f7ed5d870e5a",
        "numba.core.base:BaseContext.make_tuple": "e7b618f2785a",
        "numba.core.base:BaseContext.push_code_library": "e5a1cf83dcca",
        "numba.core.base:BaseContext.refresh": "83e8f5cc63a7",
        "numba.core.base:OverloadSelector": "cbf9b98b50cd",
        "numba.core.callconv:CPUCallConv": "e1cae3a88661",
        "numba.core.cgutils:get_or_insert_function": "f97ef4b1ea1c",
        "numba.core.cgutils:unpack_tuple": "8d600cc625f6",
        "numba.core.compiler_machinery:LoweringPass": "1df91b092209",
        "numba.core.compiler_machinery:PassRegistry.register": "a434aed40bea",
        "numba.core.cpu:CPUContext": "5ddac1258c93",
        "numba.core.funcdesc:PythonFunctionDescriptor.from_specialized_function": "cffa88567e6c",
        "numba.core.ir:Assign": "1dbb5098f1b0",
        "numba.core.ir:Return": "963a2621f57d",
        "numba.core.lowering:BaseLower": "c947cb28c9bc",
        "numba.core.lowering:Lower": "9dc635cb0829",
        "numba.core.typed_passes:BaseNativeLowering.run_pass": "0b482df48654",
        "numba.core.types.containers:StarArgUniTuple": "9d1445db5992",
    },
    "stored_parts": {
        "numba.core.dispatcher:Dispatcher.__init__": "7b7bc34e60e7",
        "numba.core.dispatcher:Dispatcher.compile": "0ab4aee15e79",
        "numba.core.dispatcher:_DispatcherBase.add_overload": "3cd1a5150786",
        "numba.core.serialize:dumps": "b45e4a915b41",
    },
}


def changes(*packages: str) -> list[str]:
    """Name the parts that are missing or have another source, with its digest, in these folders of packages."""
    roots = {Path(folder).name: Path(folder).parent for folder in packages}
    found = []
    for parts in RELIED_ON.values():
        for name, digest in parts.items():
            module, _, path = name.partition(":")
            now = _digest(roots[module.partition(".")[0]].joinpath(*module.split(".")).with_suffix(".py"), path)
            found += [] if now == digest else [f"{name}: {now}"]
    return found


def _digest(file: Path, path: str) -> str:
    """Return the digest of a class or function, or "missing"."""
    text = _text(file)
    for depth, name in enumerate(path.split(".")):
        indent = "\n" + depth * "    "
        start = max(text.find(f"{indent}{begin}") for begin in (f"def {name}(", f"class {name}(", f"class {name}:"))
        if start < 0:
            return "missing"
        text = _block(text[start + 1 :], indent + " ")
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@cache
def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError:
        return ""


def _block(text: str, deeper: str) -> str:
    """Return the first line of a text and the deeper ones below it, with those that end a list of parameters."""
    end = text.find("\n")
    while 0 <= end < len(text) and (text.startswith((deeper, deeper[:-1] + ")", "\n\n"), end)):
        end = text.find("\n", end + 1)
    return text[:end]
