"""Processes that compile kernels for a call, and which of them compiles which kernel.

Numba compiles one kernel at a time in a process. So other processes compile kernels into the cache on disk: first
those that a thread waits for, then those that are needed last, since the threads of this process come to the other
kernels themselves.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Condition, Thread
from typing import Any, NamedTuple, Self

from kernels.numba.compiling import CompileWatch
from kernels.numba.machine_code import KernelKey
from sweep.errors import SweepError
from sweep.schedule.plan import Plan
from sweep.study.model import Study
from sweep.system.host import available_bytes
from sweep.system.python_process import start_python
from sweep.training.compiling.kernel_items import Item, uncompiled
from sweep.training.component_trials import sent_components
from sweep.training.networks.part_trainer import PartTrainer

# Memory of a process that compiles, in bytes.
_PROCESS_BYTES = 4e8
# Seconds between checks for the end of the call.
_WAKE_SECONDS = 0.1
# Seconds after which a process is abandoned, many times those of a kernel: it may have been stopped (SIGSTOP).
_LONGEST_SECONDS = 120.0
_PROGRAM = "from sweep.training.compiling.compiler_process import main; main(answers)"


class _State(Enum):
    """State of a kernel: open to all processes or to this one only, being compiled here or in another one, or done."""

    OPEN, OWN, HERE, ELSEWHERE, DONE = range(5)


class _Process(NamedTuple):
    """A process, the connection over which it answers, and the thread that sends it work."""

    process: subprocess.Popen[bytes]
    answers: Any
    thread: Thread


class Compilers:
    """Processes that compile the kernels of a study in parallel to this one.

    They compile items in the order of need. There are at most ``n_processes``, fewer if memory is short. Threads that
    wait for a kernel call ``check``, and an exception that it raises ends the wait.
    """

    def __init__(
        self,
        study: Study,
        items: Mapping[KernelKey, Item],
        n_processes: int,
        watch: CompileWatch,
        check: Callable[[], None],
        *,
        prints_errors: bool = False,
    ) -> None:
        self._study, self._items, self._watch, self._check = study, dict(items), watch, check
        self._prints_errors = prints_errors
        self._n_wanted = max(0, min(n_processes, len(items), int(available_bytes() / _PROCESS_BYTES)))
        self._states = dict.fromkeys(items, _State.OPEN)
        self._awaited = Counter[KernelKey]()
        self._changed = Condition()
        self._processes: list[_Process] = []
        self._n_running = 0

    def __enter__(self) -> Self:
        """Start the processes; fewer or none if the system cannot start more processes or threads."""
        first = json.dumps([self._study.to_toml(), sent_components(self._study)])
        with suppress(OSError, RuntimeError):
            while len(self._processes) < self._n_wanted:
                self._start(first)
        self._watch.n_processes += len(self._processes)
        return self

    def __exit__(self, *details: object) -> None:
        """End the processes, even while they compile."""
        for each in self._processes:
            each.process.kill()
        for each in self._processes:
            each.thread.join()
            with suppress(OSError), each.process, each.answers:  # closed and waited for
                pass

    @contextmanager
    def claim(self, key: KernelKey) -> Iterator[None]:
        """Wait until this process may compile a kernel, or another one has compiled it."""
        with self._watch.waiting():
            is_ours = self._take(key)
        try:
            yield
        finally:
            if is_ours:
                self._change(key, _State.DONE)

    def wait(self, report: Callable[[int], None]) -> bool:
        """Wait until all kernels are compiled, or no process is left; return whether all are; report changes."""
        n_reported = -1
        with self._changed:
            while True:
                n_done = sum(state is _State.DONE for state in self._states.values())
                if n_done > n_reported:
                    n_reported = n_done
                    report(n_done)
                if n_done == len(self._states) or not self._n_running:
                    return n_done == len(self._states)
                self._check()
                self._changed.wait(_WAKE_SECONDS)

    def _take(self, key: KernelKey) -> bool:
        """Wait until this process may compile a kernel, or it is compiled; return whether to compile it here."""
        with self._changed:
            self._awaited[key] += 1
            try:
                while self._states.get(key) is not _State.DONE:
                    if self._states.get(key) is not _State.ELSEWHERE and _State.HERE not in self._states.values():
                        self._states[key] = _State.HERE
                        return True
                    self._check()
                    self._changed.wait(_WAKE_SECONDS)
                return False
            finally:
                self._awaited[key] -= 1

    def _change(self, key: KernelKey, state: _State) -> None:
        with self._changed:
            self._states[key] = state
            self._changed.notify_all()

    def _next(self) -> KernelKey | None:
        """Claim the next kernel for a process; return None if there is none left, or the call is to end."""
        try:
            self._check()
        except BaseException:
            return None
        with self._changed:
            ready = [key for key, state in self._states.items() if state is _State.OPEN]
            if not ready:
                return None
            key = next((key for key in ready if self._awaited[key]), ready[-1])
            self._states[key] = _State.ELSEWHERE
            return key

    def _start(self, first: str) -> None:
        """Start a process, and the thread that sends it one kernel after the other."""
        process, answers = start_python(_PROGRAM, None if self._prints_errors else subprocess.DEVNULL)
        thread = Thread(target=self._serve, args=(process, answers, first), daemon=True)
        with self._changed:  # the thread waits for this lock at its end
            try:
                thread.start()
            except RuntimeError:
                with process, answers:
                    process.kill()
                raise
            self._n_running += 1
        self._processes.append(_Process(process, answers, thread))

    def _serve(self, process: subprocess.Popen[bytes], answers: Any, first: str) -> None:
        """Send one kernel after the other to a process, until none is left or it fails."""
        try:
            with suppress(OSError, EOFError, ValueError):
                _ask(process, answers, first)  # it is ready
                while (key := self._next()) is not None:
                    self._have_compiled(process, answers, key)
        finally:
            process.kill()
            with self._changed:
                self._n_running -= 1
                self._changed.notify_all()

    def _have_compiled(self, process: subprocess.Popen[bytes], answers: Any, key: KernelKey) -> None:
        """Give a kernel to a process, and wait until it is compiled.

        If the process has ended, fails or takes too long, an OSError, EOFError or ValueError leaves the kernel to this
        process.
        """
        self._watch.begin(key, here=False)
        state, seconds = _State.OWN, None
        try:
            seconds = float(_ask(process, answers, json.dumps(self._items[key])))
            state = _State.DONE
        finally:
            self._change(key, state)
            self._watch.end(key, seconds)


def compile_study(study: Study, n_processes: int, report: Callable[[int, int], None]) -> int:
    """Compile the kernels of a study before it is trained, in processes side by side; return how many were compiled.

    There are fewer processes if there are fewer kernels, or not enough memory. ``report`` is called with the number of
    compiled kernels and that of all kernels. SweepError if processes end early, as if the cache cannot be written.
    """
    plan = Plan(study)
    items = uncompiled(PartTrainer(plan), range(plan.n_shapes), settles=True)
    watch = CompileWatch(lambda _: None)
    with Compilers(study, items, n_processes, watch, lambda: None, prints_errors=True) as compilers:
        if not compilers.wait(lambda n_done: report(n_done, len(items))):
            raise SweepError(
                "the processes that compile ended early; try again with fewer (--processes 1), and check that their "
                "cache can be written (XDG_CACHE_HOME)"
            )
    return len(items)


def _ask(process: subprocess.Popen[bytes], answers: Any, line: str) -> bytes:
    """Send a line to a process, and return its answer; OSError or EOFError if the process has ended."""
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")
    process.stdin.flush()
    if not answers.poll(_LONGEST_SECONDS):
        raise TimeoutError
    answer: bytes = answers.recv_bytes()
    return answer
