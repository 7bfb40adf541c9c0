"""The list of allowed system calls, read as the kernel reads it, for each kind of machine."""

import os

import pytest

from nightlight.adapters import sandbox_seccomp as seccomp

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050001, 0x80000000
NOT_THERE = 0x00050000 | 38
OWN = 4321
X86, ARM = 0, 1
BOTH = pytest.mark.parametrize("machine", [X86, ARM], ids=["x86-64", "arm64"])


def answer(machine: int, number: int, *arguments: int, arch: int | None = None) -> int:
    """Run the filter on one call, as the kernel would."""
    data = {0: number, 4: seccomp._AUDIT_ARCH[machine] if arch is None else arch}
    for index in range(6):
        value = arguments[index] if index < len(arguments) else 0
        data[16 + 8 * index], data[20 + 8 * index] = value & 0xFFFFFFFF, value >> 32
    code, at, held = seccomp._program(machine, OWN), 0, 0
    while True:
        what, yes, no, value = code[at]
        at += 1
        match what:
            case 0x20:
                held = data[value]
            case 0x15:
                at += yes if held == value else no
            case 0x35:
                at += yes if held >= value else no
            case 0x45:
                at += yes if held & value else no
            case 0x06:
                return value
            case _:
                raise AssertionError("no such instruction")


@BOTH
def test_reading_and_memory_are_allowed(machine: int) -> None:
    for call in seccomp._ALWAYS.values():
        number = call[machine]
        assert number is None or answer(machine, number) == ALLOW


@BOTH
def test_whatever_is_not_listed_is_refused(machine: int) -> None:
    listed = {call[machine] for call in seccomp._ALWAYS.values()}
    listed |= {rule.call[machine] for rule in seccomp._rules(OWN)}
    listed |= {seccomp._CLONE3[machine]}
    for number in set(range(600)) - listed:
        assert answer(machine, number) == REFUSE


@BOTH
def test_call_of_another_machine_ends_the_process(machine: int) -> None:
    assert answer(machine, 0, arch=seccomp._AUDIT_ARCH[1 - machine]) == KILL
    assert answer(machine, 0, arch=0x40000003) == KILL


def test_calls_of_the_x32_interface_are_refused() -> None:
    assert answer(X86, 0x40000000) == REFUSE


@BOTH
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (os.O_RDONLY | os.O_CLOEXEC, ALLOW),
        (os.O_RDONLY | os.O_DIRECTORY, ALLOW),
        (os.O_WRONLY, REFUSE),
        (os.O_RDWR, REFUSE),
        (os.O_RDONLY | os.O_CREAT, REFUSE),
        (os.O_RDONLY | os.O_TRUNC, REFUSE),
        (os.O_TMPFILE | os.O_RDWR, REFUSE),
    ],
)
def test_files_are_opened_for_reading_only(machine: int, flags: int, expected: int) -> None:
    number = seccomp._OPENAT[machine]
    assert number is not None
    assert answer(machine, number, 2**64 - 100, 0, flags) == expected


@BOTH
@pytest.mark.parametrize(
    ("call", "arguments", "expected"),
    [
        (seccomp._CLONE, (0x003D0F00,), ALLOW),
        (seccomp._CLONE, (17,), REFUSE),
        (seccomp._CLONE, (0x10000000 | 17,), REFUSE),
        (seccomp._CLONE3, (0,), NOT_THERE),
        (seccomp._KILL, (OWN, 6), ALLOW),
        (seccomp._KILL, (OWN + 1, 9), REFUSE),
        (seccomp._KILL, (2**64 - 1, 9), REFUSE),
        (seccomp._TGKILL, (OWN, OWN, 6), ALLOW),
        (seccomp._TGKILL, (1, 1, 9), REFUSE),
        (seccomp._FCNTL, (3, 1), ALLOW),
        (seccomp._FCNTL, (3, 8, 1), REFUSE),
        (seccomp._FCNTL, (3, 10, 9), REFUSE),
        (seccomp._IOCTL, (0, 0x5401), ALLOW),
        (seccomp._IOCTL, (0, 0x5412), REFUSE),
        (seccomp._PRCTL, (15,), ALLOW),
        (seccomp._PRCTL, (4, 1), REFUSE),
        (seccomp._PRLIMIT, (0, 0, 0x7FFF00000000, 0), ALLOW),
        (seccomp._PRLIMIT, (0, 2, 0, 0x7FFF00000000), ALLOW),
        (seccomp._PRLIMIT, (0, 2, 0x7FFF00000000, 0), REFUSE),
        (seccomp._PRLIMIT, (0, 2, 0x00007FFF, 0), REFUSE),
        (seccomp._PRLIMIT, (1, 0, 0x7FFF00000000, 0), REFUSE),
    ],
)
def test_some_calls_depend_on_what_they_ask(
    machine: int, call: tuple[int, int], arguments: tuple[int, ...], expected: int
) -> None:
    assert answer(machine, call[machine], *arguments) == expected


def test_machine_without_a_list_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert not seccomp.allow_decoding_only()
