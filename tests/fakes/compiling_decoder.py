"""A decoder that meets a kind of file for which nothing is compiled yet, behind its walls."""

from typing import BinaryIO

from numba import njit

from nightlight.adapters import sandbox_decoder
from nightlight.adapters.sandbox_messages import Job
from nightlight.model.media import Scan, ScanState


@njit(cache=True)
def _sum(one: int, other: int) -> int:
    return one + other


def warm_up() -> None:
    """What the real decoder does at last, without what it compiles first."""
    sandbox_decoder.keep_compiled_code_to_itself()


def decode(_file: BinaryIO, _job: Job) -> Scan:
    return Scan(state=ScanState.FAILED, reason=f"2 and 2 is {_sum(2, 2)}")
