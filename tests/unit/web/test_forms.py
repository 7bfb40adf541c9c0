"""Forms are read in pieces of any size, with every byte as it was sent."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlight.adapters.spool import Spool
from nightlight.errors import InvalidInput
from nightlight.web.forms import Form, boundary_of, read_form

BOUNDARY = b"zorble-flux"


def part(name: str, content: bytes, *, file_name: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"'
    if file_name is not None:
        disposition += f'; filename="{file_name}"'
    return b"Content-Disposition: " + disposition.encode() + b"\r\n\r\n" + content


def body_of(*parts: bytes) -> bytes:
    joined = b"".join(b"--" + BOUNDARY + b"\r\n" + one + b"\r\n" for one in parts)
    return joined + b"--" + BOUNDARY + b"--\r\n"


def receive() -> Spool:
    return Spool(max_bytes=1 << 20)


def read(body: bytes, *, piece: int = 1 << 16) -> Form:
    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), piece):
            yield body[start : start + piece]

    return asyncio.run(read_form(stream(), BOUNDARY, receive))


@given(
    content=st.binary(max_size=300) | st.sampled_from([b"", b"\r\n", b"\r\n--zorble", b"--"]),
    piece=st.integers(1, 70),
)
def test_a_file_arrives_as_it_was_sent_however_it_is_cut(content: bytes, piece: int) -> None:
    form = read(
        body_of(part("note", b"quibble"), part("photo", content, file_name="x")), piece=piece
    )

    (file,) = form.files
    assert (file.name, file.file.read_all()) == ("photo", content)
    assert form.fields == {"note": "quibble"}


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_several_files_come_in_order(piece: int) -> None:
    form = read(
        body_of(part("a", b"1", file_name="x"), part("b", b"22", file_name="")), piece=piece
    )

    assert [(one.name, one.file.size) for one in form.files] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"quibble",
        body_of(part("a", b"1", file_name="x"))[:-20],
        b"--zorble-flux\r\nContent-Disposition: form-data\r\n\r\nx\r\n--zorble-flux--",
        b"--zorble-flux\r\n" + b"x" * 10_000,
        body_of(*(part(f"f{number}", b"x") for number in range(30))),
        body_of(part("note", b"x" * 100_000)),
        body_of(part("photo", b"x" * (2 << 20), file_name="x")),
    ],
)
def test_what_is_no_form_or_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(body)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; boundary="a b"', b"a b"),
        ("application/json", None),
        ("", None),
    ],
)
def test_the_boundary_is_read_as_it_may_be_written(
    content_type: str, boundary: bytes | None
) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_form_without_a_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidInput):
        boundary_of(content_type)


def test_printing_a_form_shows_no_content() -> None:
    form = read(body_of(part("photo", b"quibbleprice", file_name="x")))

    assert "quibbleprice" not in repr(form)
