"""Lines of any known format become events; what cannot be read becomes a rejection."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nightlight.errors import InvalidInput
from nightlight.ingest.formats import Format
from nightlight.ingest.lines import KEPT_BYTES, Oversize, Rejected, bounded_lines
from nightlight.ingest.reader import EventReader, parse_batch
from nightlight.model.event import Event

STREAMS = Path(__file__).parents[2] / "synthetic" / "streams"
BATCH = "application/cloudevents-batch+json"


def cloud_event(event_id: str = "e1", **attributes: object) -> dict[str, Any]:
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": "//town.example.test",
        "type": "views.counted",
        "time": "2026-01-31T12:00:00Z",
        "data": {"post_id": "p", "views": 1},
    }
    return whole | attributes


def line(event_id: str = "e1", **attributes: object) -> bytes:
    return json.dumps(cloud_event(event_id, **attributes)).encode()


def read(content: bytes, source_format: Format = Format.AUTO) -> list[Event | Rejected]:
    lines = bounded_lines(io.BytesIO(content))
    return list(EventReader().read_lines(lines, source_format=source_format))


def ids(found: list[Event | Rejected]) -> list[str]:
    return [event.id if isinstance(event, Event) else "rejected" for event in found]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("events.jsonl", 10),
        ("jetstream.jsonl", 16),
        ("mastodon_streaming.jsonl", 12),
        ("mastodon.sse", 7),
        ("mastodon_timeline.json", 11),
    ],
)
def test_sample_file_is_read_whole(name: str, count: int) -> None:
    found = read((STREAMS / name).read_bytes())
    assert [event for event in found if isinstance(event, Rejected)] == []
    assert len(found) == count


def test_formats_may_mix_line_by_line() -> None:
    names = ("events.jsonl", "jetstream.jsonl", "mastodon_streaming.jsonl", "mastodon.sse")
    content = b"\n".join((STREAMS / name).read_bytes() for name in names)
    assert all(isinstance(event, Event) for event in read(content))


def test_mastodon_says_the_same_by_stream_and_by_sse() -> None:
    stream, sse = (
        {event.key for event in read((STREAMS / name).read_bytes()) if isinstance(event, Event)}
        for name in ("mastodon_streaming.jsonl", "mastodon.sse")
    )
    assert sse < stream


def test_blank_lines_and_byte_order_mark_are_passed_over() -> None:
    content = b"\xef\xbb\xbf" + line("e1") + b"\r\n\r\n  \n" + line("e2") + b"\n"
    assert ids(read(content)) == ["e1", "e2"]


def test_bad_line_is_rejected_and_the_next_one_read() -> None:
    found = read(b"\n" + line(id="") + b"\n" + line("e2"))
    rejected, event = found
    assert isinstance(rejected, Rejected)
    assert rejected.line_number == 2
    assert rejected.reason.startswith("id: the id is empty")
    assert rejected.raw == line(id="")
    assert isinstance(event, Event)


@pytest.mark.parametrize(
    "content",
    [b"zorble", b"{}", b"7", b"null", b'"x"', b'{"event":"update"}', b"\xff\xfe{\x00", b"[1"],
)
def test_line_of_no_known_format_is_rejected(content: bytes) -> None:
    (rejected,) = read(content)
    assert isinstance(rejected, Rejected)
    assert rejected.raw == content


def test_line_over_the_limit_is_rejected_with_its_length() -> None:
    found = read(line("e1") + b"\n{" + b" " * (3 << 20) + b"\n" + line("e3"))
    assert ids(found) == ["e1", "rejected", "e3"]
    rejected = found[1]
    assert isinstance(rejected, Rejected)
    assert (rejected.line_number, rejected.byte_count) == (2, (3 << 20) + 2)
    assert len(rejected.raw) == KEPT_BYTES


def test_rejection_masks_what_it_keeps() -> None:
    (rejected,) = read(b"zorbleflux")
    assert "zorble" not in f"{rejected!r} {rejected}"


def test_deeply_nested_line_is_rejected() -> None:
    assert ids(read(b'{"did":' * 100_000 + b"\n" + line())) == ["rejected", "e1"]
    assert "e1" in ids(read(b"[" * 100_000 + b"\n" + line()))


def test_array_is_read_on_one_line_and_pretty_printed() -> None:
    whole = [cloud_event("e1"), cloud_event("e2")]
    assert ids(read(json.dumps(whole).encode())) == ["e1", "e2"]
    assert ids(read(b"\n  " + json.dumps(whole, indent=2).encode() + b"\n\n")) == ["e1", "e2"]


def test_bad_element_of_an_array_is_rejected_alone() -> None:
    found = read(json.dumps([cloud_event("e1"), {"id": 1}, cloud_event("e3")]).encode())
    assert ids(found) == ["e1", "rejected", "e3"]
    assert isinstance(found[1], Rejected)
    assert found[1].reason.startswith("element 2 of the array: ")


def test_lines_after_an_array_on_one_line_are_read() -> None:
    array = json.dumps([cloud_event("e1")]).encode()
    assert ids(read(array + b"\n" + line("e2") + b"\n" + array)) == ["e1", "e2", "e1"]


def test_broken_array_is_read_line_by_line() -> None:
    assert ids(read(b"[\n" + line("e1") + b"\n" + line("e2"))) == ["rejected", "e1", "e2"]


def test_array_over_the_limit_is_read_line_by_line() -> None:
    content = b"[\n" + line("e1") + b"\n,\n" + line("e2") + b"\n]"
    reader = EventReader(array_limit_bytes=50)
    found = list(reader.read_lines(bounded_lines(io.BytesIO(content))))
    assert [found_id for found_id in ids(found) if found_id != "rejected"] == ["e1", "e2"]


def test_array_with_an_oversize_line_is_read_line_by_line() -> None:
    lines: list[bytes | Oversize] = [b"[", Oversize(head=b"{", byte_count=9), line("e2"), b"]"]
    assert ids(list(EventReader().read_lines(lines))) == ["rejected", "rejected", "e2", "rejected"]


def test_sse_frame_is_read_at_its_end_without_a_blank_line() -> None:
    assert ids(read(b": hello\nid: 7\nretry: 10\ndata: " + line("e1"))) == ["e1"]


def test_sse_data_may_span_lines() -> None:
    pretty = json.dumps(cloud_event("e1"), indent=1)
    content = "".join(f"data: {part}\n" for part in pretty.splitlines())
    assert ids(read(content.encode() + b"\n" + line("e2"))) == ["e1", "e2"]


def test_sse_event_of_unknown_name_is_not_lost() -> None:
    content = b"event: views.counted\ndata: " + line("e1") + b"\n\nevent: zorble\ndata: {}\n\n"
    assert ids(read(content)) == ["e1", "rejected"]


def test_sse_rejection_names_the_line_where_the_event_began() -> None:
    (rejected,) = read(b":thump\nevent: update\ndata: {}\n\n")
    assert isinstance(rejected, Rejected)
    assert rejected.line_number == 2


def test_sse_event_without_end_is_bounded_and_rejected() -> None:
    (rejected,) = EventReader().read_lines(b"data: " + b"x" * 1000 for _ in range(5000))
    assert isinstance(rejected, Rejected)
    assert rejected.byte_count < 2 << 20


def test_named_format_is_the_only_one_read() -> None:
    first = (STREAMS / "jetstream.jsonl").read_bytes().splitlines()[0]
    assert ids(read(first, Format.CLOUDEVENTS)) == ["rejected"]
    assert ids(read(first, Format.MASTODON)) == ["rejected"]
    assert ids(read(line(), Format.JETSTREAM)) == ["rejected"]
    assert ids(read(first, Format.JETSTREAM)) != ["rejected"]


def test_cloud_event_with_an_escaped_attribute_name_is_read() -> None:
    assert ids(read(line().replace(b"specversion", rb"specversio\u006e"))) == ["e1"]


def test_deletion_is_dated_by_the_clock_that_the_reader_was_given() -> None:
    received_at = datetime(2026, 2, 1, tzinfo=UTC)
    reader = EventReader(received_at=lambda: received_at)
    found = list(reader.read_lines([b'{"event":"delete","payload":"zorble-7"}']))
    assert [event.time for event in found if isinstance(event, Event)] == [received_at]


def test_batch_is_an_array_of_events() -> None:
    body = json.dumps([cloud_event("e1"), {}, cloud_event("e3")]).encode()
    assert ids(parse_batch(body, f"{BATCH}; charset=utf-8")) == ["e1", "rejected", "e3"]


def test_one_event_may_be_sent_alone() -> None:
    pretty = json.dumps(cloud_event(), indent=2).encode()
    assert ids(parse_batch(pretty, "Application/CloudEvents+JSON")) == ["e1"]
    assert ids(parse_batch(b"", "application/cloudevents+json")) == ["rejected"]


def test_lines_may_be_sent() -> None:
    body = line("e1") + b"\n\nzorble\n" + line("e2")
    assert ids(parse_batch(body, "application/x-ndjson")) == ["e1", "rejected", "e2"]


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
def test_other_media_types_are_refused(content_type: str) -> None:
    with pytest.raises(InvalidInput, match="x-ndjson"):
        parse_batch(line(), content_type)


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[1,]", b"\xff"])
def test_batch_that_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_batch(body, BATCH)
