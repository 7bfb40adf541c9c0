"""Whatever bytes come, reading them ends in events or rejections."""

import io
import json
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightlight.errors import InvalidInput
from nightlight.ingest.formats import Format
from nightlight.ingest.html_text import text_of_html
from nightlight.ingest.lines import Rejected, bounded_lines
from nightlight.ingest.reader import EventReader, parse_batch
from nightlight.model.event import Event

STREAMS = Path(__file__).parents[2] / "synthetic" / "streams"
SAMPLES = [
    line for path in sorted(STREAMS.glob("*.jsonl")) for line in path.read_bytes().splitlines()
]
FORMATS = st.sampled_from(Format)
WORDS = st.sampled_from(["", "1.0", "did:x", "update", "delete", "commit", "post.created", "<p>x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS
KEYS = st.sampled_from(
    [
        "specversion",
        "id",
        "source",
        "type",
        "time",
        "data",
        "did",
        "time_us",
        "kind",
        "commit",
        "event",
        "payload",
        "account",
        "created_at",
        "content",
        "reblog",
        "media_attachments",
        "url",
        "edited_at",
        "record",
        "post_id",
        "views",
    ]
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=20,
)


def read(content: bytes, source_format: Format) -> None:
    for found in EventReader().read_lines(
        bounded_lines(io.BytesIO(content), 4096), source_format=source_format
    ):
        assert isinstance(found, Event | Rejected)


@settings(max_examples=150)
@given(st.binary(max_size=300), FORMATS)
@example(b"[" * 200_000, Format.AUTO)
@example(b"\xef\xbb\xbf", Format.AUTO)
def test_arbitrary_bytes_never_raise(content: bytes, source_format: Format) -> None:
    read(content, source_format)


@settings(max_examples=150)
@given(JSON, FORMATS)
def test_arbitrary_json_never_raises(value: object, source_format: Format) -> None:
    read(json.dumps(value).encode(), source_format)


@settings(max_examples=150)
@given(st.sampled_from(SAMPLES), st.data(), FORMATS)
def test_damaged_lines_never_raise(line: bytes, data: st.DataObject, source_format: Format) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, min(len(line), start + 20)))
    read(line[:start] + data.draw(st.binary(max_size=8)) + line[end:], source_format)


@given(st.binary(max_size=200), st.sampled_from(["batch+json", "+json"]))
def test_arbitrary_body_is_read_or_refused(body: bytes, kind: str) -> None:
    prefix = "application/cloudevents-" if kind == "batch+json" else "application/cloudevents"
    try:
        found = parse_batch(body, prefix + kind)
    except InvalidInput:
        return
    assert all(isinstance(each, Event | Rejected) for each in found)


@given(st.text(alphabet="<>/!?-&#;x0a\"' p=\n[]", max_size=200))
def test_arbitrary_markup_has_a_text(source: str) -> None:
    assert isinstance(text_of_html(source), str)
