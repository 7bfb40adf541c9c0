from datetime import UTC, datetime

import pytest

from nightlight.detect.scan_health import ScanHealth
from nightlight.model.context import Context, MediaContext
from nightlight.model.event import Event, EventData, EventType, MediaUploaded, PostCreated
from nightlight.model.ids import AccountId, EventKey, MediaId
from nightlight.model.media import Scan, ScanState
from nightlight.model.signal import Subject, SubjectKind

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def media(media_id: str, state: ScanState) -> MediaContext:
    reason = "" if state is ScanState.SCANNED else f"{media_id} is {state.value}"
    return MediaContext(
        media_id=MediaId(media_id),
        account_id=AccountId("a1"),
        scan=Scan(state=state, reason=reason),
        uploaded_at=NOON,
    )


def event(kind: EventType, data: EventData) -> Event:
    return Event(key=EventKey("k1"), source="test", id="1", type=kind, time=NOON, data=data)


UPLOAD = event(EventType.MEDIA_UPLOADED, MediaUploaded(media_id="m1", account_id="a1"))
POST = event(EventType.POST_CREATED, PostCreated(post_id="p1", account_id="a1"))


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        (ScanState.FAILED, {"scan_failed": True, "scan_unreachable": False}),
        (ScanState.UNREACHABLE, {"scan_failed": False, "scan_unreachable": True}),
    ],
)
def test_unscanned_upload_is_told_with_its_reason(
    state: ScanState,
    facts: dict[str, bool],
) -> None:
    (signal,) = ScanHealth().detect(UPLOAD, Context(media=(media("m1", state),)))
    assert signal.subject == Subject(kind=SubjectKind.MEDIA, id="m1")
    assert signal.facts == facts
    assert signal.evidence["reasons"] == [f"m1 is {state.value}"]


def test_post_that_shows_unscanned_media_is_told_once_naming_each() -> None:
    shown = tuple(media(f"m{n}", state) for n, state in enumerate(ScanState))
    (signal,) = ScanHealth().detect(POST, Context(media=shown))
    assert signal.subject == Subject(kind=SubjectKind.POST, id="p1")
    assert signal.facts == {"scan_failed": True, "scan_unreachable": True}
    assert signal.evidence["media"] == ["m1", "m2"]


def test_scanned_media_is_nothing_to_tell() -> None:
    context = Context(media=(media("m1", ScanState.SCANNED),))
    assert ScanHealth().detect(UPLOAD, context) == ()


def test_event_without_media_is_nothing_to_tell() -> None:
    assert ScanHealth().detect(POST, Context()) == ()


def test_declared_facts_are_those_of_its_signals() -> None:
    (signal,) = ScanHealth().detect(UPLOAD, Context(media=(media("m1", ScanState.FAILED),)))
    assert signal.facts.keys() == ScanHealth().facts.keys()
