"""A byte stream becomes lines of bounded size."""

import io

import pytest

from nightlight.ingest.lines import KEPT_BYTES, Oversize, bounded_lines


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a\nbb\n", [b"a", b"bb"]),
        (b"a\r\nbb", [b"a", b"bb"]),
        (b"\n\na", [b"", b"", b"a"]),
        (b"12345678\n12345678\r\n12345678", [b"12345678"] * 3),
    ],
)
def test_lines_come_without_their_ends(content: bytes, lines: list[bytes]) -> None:
    assert list(bounded_lines(io.BytesIO(content), 8)) == lines


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("extra", range(1, 5))
def test_line_over_the_limit_is_named_and_counted(end: bytes, extra: int) -> None:
    long = b"x" * (8 + extra)
    (found,) = bounded_lines(io.BytesIO(long + end), 8)
    assert isinstance(found, Oversize)
    assert found.byte_count == len(long + end)


def test_line_after_a_long_one_is_read() -> None:
    *_, last = bounded_lines(io.BytesIO(b"x" * 300_000 + b"\nnext\n"), 8)
    assert last == b"next"


def test_only_the_head_of_a_long_line_is_held() -> None:
    limit = 2 * KEPT_BYTES
    (found,) = bounded_lines(io.BytesIO(b"x" * (4 * limit)), limit)
    assert isinstance(found, Oversize)
    assert len(found.head) == KEPT_BYTES


def test_stream_is_never_asked_for_more_than_the_limit() -> None:
    asked: list[int] = []

    class Watched(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return super().readline(size)

    list(bounded_lines(Watched(b"x" * 1_000_000), 100_000))
    assert min(asked) > 0
    assert max(asked) <= 100_002


def test_long_line_masks_its_content() -> None:
    (found,) = bounded_lines(io.BytesIO(b"zorbleflux zorbleflux"), 8)
    assert "zorble" not in repr(found)
