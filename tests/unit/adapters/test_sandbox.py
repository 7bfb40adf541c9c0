"""A file that breaks its decoder costs one worker, gives a reason, and reaches nothing else."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_walls import Wall
from nightlight.adapters.spool import Spool
from nightlight.errors import InvalidInput, NightlightError, Unavailable
from nightlight.model.media import ScanState

ROOT = Path(__file__).parents[3]
HOSTILE = "tests.fakes.hostile_decoder"
MEMORY_MIB = 200
LONG_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def _importable() -> Iterator[None]:
    """Let children import the hostile decoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One worker, shared by the tests of this file: each leaves it working."""
    made = Sandbox(decoder=HOSTILE, memory_mib=MEMORY_MIB, workers=1)
    yield made
    made.close()


@pytest.fixture
def fresh() -> Iterator[Callable[..., Sandbox]]:
    """Make a sandbox of the test's own."""
    made: list[Sandbox] = []

    def make(**options: int | str) -> Sandbox:
        with_options: dict[str, int | str] = {"decoder": HOSTILE, "workers": 1, **options}
        made.append(Sandbox(**with_options))  # type: ignore[arg-type]  # names go with types
        return made[-1]

    yield make
    for one in made:
        one.close()


def told(sandbox: Sandbox, deed: str, *, wall_s: float = LONG_S) -> str:
    data = deed.encode()
    return sandbox.decode(size=len(data), data=data, wall_s=wall_s).reason


def is_fine(sandbox: Sandbox) -> bool:
    return sandbox.decode(size=4, data=b"fine", wall_s=LONG_S).state is ScanState.SCANNED


def runs(process_id: int) -> bool:
    """Return whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until(done: Callable[[], bool]) -> bool:
    for _ in range(2000):
        if done():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("abort", "the decoder crashed on this file"),
        ("read-nowhere", "the decoder crashed on this file"),
        ("raise", "the decoder crashed on this file"),
        ("kill-itself", "the decoder was killed over this file"),
        ("allocate 10000", f"decoding needed more than {MEMORY_MIB} MiB of memory"),
        ("exit-quietly", "answered nothing that makes sense"),
        ("answer-raw ffffffff", "answered nothing that makes sense"),
        ("answer-raw 00000003c1c1c1", "answered nothing that makes sense"),
        ("answer-raw 0000000380c0c0", "answered nothing that makes sense"),
        ("answer-wrongly pdq", "answered nothing that makes sense"),
        ("answer-wrongly quality", "answered nothing that makes sense"),
        ("answer-wrongly state", "answered nothing that makes sense"),
        ("answer-wrongly reason", "answered nothing that makes sense"),
        ("answer-wrongly no-reason", "answered nothing that makes sense"),
        ("answer-wrongly length", "answered nothing that makes sense"),
        ("spin", "decoding took longer than 60 s"),
    ],
)
def test_file_that_breaks_the_decoder_gives_a_reason_and_the_next_is_decoded(
    sandbox: Sandbox, deed: str, reason: str
) -> None:
    with pytest.raises(InvalidInput, match=reason):
        told(sandbox, deed)
    assert is_fine(sandbox)


def test_file_that_takes_too_long_is_given_up(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput, match=r"decoding took longer than 0\.2 s"):
        told(sandbox, "sleep 60", wall_s=0.2)
    assert is_fine(sandbox)


@pytest.mark.parametrize("size", [1 << 16, (1 << 16) + 1, 3 << 20])
def test_file_of_any_size_arrives_whole(sandbox: Sandbox, size: int) -> None:
    data = b"digest " + os.urandom(size // 2).hex().encode()
    found = sandbox.decode(size=len(data), data=data, wall_s=LONG_S)
    assert found.reason == hashlib.sha256(data).hexdigest()


def test_file_arrives_where_there_are_no_memory_files(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    data = b"digest " + bytes(3 << 20)
    found = sandbox.decode(size=len(data), data=data, wall_s=LONG_S)
    assert found.reason == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("memory_bytes", [0, 1 << 30], ids=["spooled", "in memory"])
def test_decoder_cannot_change_the_file_that_it_is_given(
    sandbox: Sandbox, memory_bytes: int
) -> None:
    data = b"overwrite " + b"x" * (1 << 20)
    with Spool(max_bytes=1 << 30, memory_bytes=memory_bytes) as spool:
        spool.write(data)
        file = spool.finish()
    with file:
        shared = file.shared()
        found = sandbox.decode(
            size=len(data), wall_s=LONG_S, shared=shared, data=None if shared else data
        )
    assert found.reason == "1 looked at, 0 changed"


def test_large_file_that_crashes_the_decoder_costs_one_worker(sandbox: Sandbox) -> None:
    data = b"abort " + bytes(3 << 20)
    with pytest.raises(InvalidInput, match="crashed"):
        sandbox.decode(size=len(data), data=data, wall_s=LONG_S)
    assert is_fine(sandbox)


def test_memory_within_the_limit_is_had(sandbox: Sandbox) -> None:
    assert told(sandbox, f"allocate {MEMORY_MIB // 2}") == f"took {MEMORY_MIB // 2}"


@pytest.mark.parametrize(
    "attempt",
    [
        "internet socket",
        "unix socket",
        "socket pair",
        "start a program",
        "become a program",
        "fork",
        "make a file",
        "make a nameless file",
        "write to a file",
        "append to a file",
        "empty a file",
        "remove a file",
        "rename a file",
        "make a folder",
        "kill its parent",
        "signal its parent",
        "raise its memory",
        "raise its file size",
        "limit its parent",
        "change its user",
        "read the passwords",
        "read its parent's memory",
        "read its parent's environment",
        "list the home",
    ],
)
def test_attempt_to_reach_outside_is_refused(sandbox: Sandbox, attempt: str) -> None:
    assert told(sandbox, f"attempt {attempt}") in {"EPERM", "EACCES"}


@pytest.mark.parametrize(
    "call",
    [
        "ptrace",
        "mount",
        "add_key",
        "keyctl",
        "unshare",
        "perf_event_open",
        "process_vm_readv",
        "process_vm_writev",
        "memfd_create",
        "bpf",
        "execveat",
        "userfaultfd",
        "io_uring_setup",
        "openat2",
        "pidfd_getfd",
        "a call of the x32 interface",
        "a call of the far future",
    ],
)
def test_system_call_that_decoding_does_not_need_is_refused(sandbox: Sandbox, call: str) -> None:
    assert told(sandbox, f"call {call}") == "EPERM"


def test_decoder_can_still_load_libraries_and_start_threads(sandbox: Sandbox) -> None:
    assert told(sandbox, "attempt read a library") == "done"
    assert told(sandbox, "attempt list libraries") == "done"
    assert told(sandbox, "threads") == "1 done"


def test_every_wall_holds_here(sandbox: Sandbox) -> None:
    assert sandbox.walls() == frozenset(Wall)


def test_decoder_knows_no_setting_of_its_parent(
    fresh: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTLIGHT_PLATFORM_SECRET", "zorbleflux")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "quibble")
    sandbox = fresh()
    assert told(sandbox, "environment NIGHTLIGHT_PLATFORM_SECRET") == "False"
    assert told(sandbox, "environment AWS_SECRET_ACCESS_KEY") == "False"
    assert told(sandbox, "environment PATH") == "True"


def test_worker_killed_while_it_decodes_fails_only_its_file(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(1) as others:
        waiting = others.submit(told, sandbox, "sleep 60")
        while not waiting.done():
            time.sleep(0.2)
            for worker in list(sandbox._crew._all):
                with suppress(ProcessLookupError):
                    os.kill(worker.process_id, signal.SIGKILL)
        with pytest.raises(InvalidInput, match="was killed over this file"):
            waiting.result()
    assert is_fine(sandbox)


def test_worker_killed_while_idle_fails_no_file(sandbox: Sandbox) -> None:
    process = int(told(sandbox, "process-id"))
    os.kill(process, signal.SIGKILL)
    assert is_fine(sandbox)
    assert int(told(sandbox, "process-id")) != process


def test_workers_are_kept_warm_and_replaced_after_their_share_of_files(
    fresh: Callable[..., Sandbox],
) -> None:
    sandbox = fresh(files_per_worker=3)
    first = int(told(sandbox, "process-id"))
    assert int(told(sandbox, "process-id")) == first
    assert wait_until(lambda: int(told(sandbox, "process-id")) != first)
    assert wait_until(lambda: not runs(first))


def test_many_files_at_once_are_decoded_while_some_crash(fresh: Callable[..., Sandbox]) -> None:
    sandbox = fresh(workers=2)

    def outcome(number: int) -> str:
        try:
            return "fine" if number % 10 or told(sandbox, "abort") else ""
        except InvalidInput as error:
            return str(error)

    def decoded(number: int) -> str:
        return outcome(number) if number % 10 == 0 else "fine" if is_fine(sandbox) else ""

    with ThreadPoolExecutor(10) as others:
        found = list(others.map(decoded, range(50)))
    assert found.count("fine") == 45
    assert found.count("the decoder crashed on this file") == 5


def test_no_more_workers_are_started_than_are_needed(fresh: Callable[..., Sandbox]) -> None:
    sandbox = fresh(workers=8)
    assert len({told(sandbox, "process-id") for _ in range(20)}) == 1


def test_start_makes_a_worker_ready_beforehand(fresh: Callable[..., Sandbox]) -> None:
    sandbox = fresh()
    sandbox.start()
    sandbox.start()
    assert is_fine(sandbox)


def test_without_a_decoder_nothing_is_passed(fresh: Callable[..., Sandbox]) -> None:
    sandbox = fresh(decoder="nightlight.no_such_module")
    for _ in range(2):
        with pytest.raises(Unavailable, match="no decoder can be had"):
            is_fine(sandbox)


def test_decoder_that_is_not_ready_in_time_is_unavailable(fresh: Callable[..., Sandbox]) -> None:
    with pytest.raises(Unavailable, match="not ready within"):
        is_fine(fresh(start_s=0.001))


def test_without_memory_to_start_nothing_is_passed(
    fresh: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", full)
    with pytest.raises(Unavailable, match="Cannot allocate memory"):
        is_fine(fresh())


def test_closed_sandbox_leaves_no_process_and_decodes_no_more(
    fresh: Callable[..., Sandbox],
) -> None:
    sandbox = fresh()
    process = int(told(sandbox, "process-id"))
    with ThreadPoolExecutor(1) as others:
        waiting = others.submit(told, sandbox, "sleep 60")
        time.sleep(0.2)
        sandbox.close()
        sandbox.close()
        with pytest.raises(NightlightError):
            waiting.result()
    assert not runs(process)
    with pytest.raises(Unavailable, match="closed"):
        is_fine(sandbox)


PARENT = f"""
import sys, threading
from nightlight.adapters.sandbox import Sandbox
sandbox = Sandbox(decoder="{HOSTILE}", workers=2)
def told(deed):
    return sandbox.decode(size=len(deed), data=deed, wall_s=60).reason
if __name__ == "__main__":
    busy = told(b"process-id")
    thread = threading.Thread(target=told, args=(b"sleep 60",), daemon=True)
    thread.start()
    print(busy, told(b"process-id"), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["killed", "interrupted"])
def test_parent_that_ends_leaves_no_child(end: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    ) as parent:
        assert parent.stdout is not None
        children = {int(word) for word in parent.stdout.readline().split()}
        assert all(runs(one) for one in children)
        parent.send_signal(signal.SIGKILL if end == "killed" else signal.SIGINT)
    assert children
    assert wait_until(lambda: not any(runs(one) for one in children))
