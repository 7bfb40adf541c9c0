"""Events as the platform writes them: CloudEvents 1.0, one JSON object a line.

The data types are the model's own, told to leave fields at their default out of the line.
"""

from datetime import UTC, datetime

import msgspec

from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    EngagementCreated,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    PostDeleted,
    PostEdited,
    UserReportCreated,
    ViewsCounted,
)

SOURCE = "//town.example.test"


class NewAccount(AccountCreated, frozen=True, kw_only=True, omit_defaults=True):
    """``account.created`` without empty fields."""


class ChangedAccount(AccountUpdated, frozen=True, kw_only=True, omit_defaults=True):
    """``account.updated`` without unchanged fields."""


class NewPost(PostCreated, frozen=True, kw_only=True, omit_defaults=True):
    """``post.created`` without empty fields."""


class ChangedPost(PostEdited, frozen=True, kw_only=True, omit_defaults=True):
    """``post.edited`` without empty fields."""


class NewMedia(MediaUploaded, frozen=True, kw_only=True, omit_defaults=True):
    """``media.uploaded`` without the hashes that this platform does not make."""


class NewEngagement(EngagementCreated, frozen=True, kw_only=True, omit_defaults=True):
    """``engagement.created`` without empty fields."""


class NewUserReport(UserReportCreated, frozen=True, kw_only=True, omit_defaults=True):
    """``user_report.created`` without empty fields."""


_TYPES: dict[type[EventData], EventType] = {
    NewAccount: EventType.ACCOUNT_CREATED,
    ChangedAccount: EventType.ACCOUNT_UPDATED,
    NewPost: EventType.POST_CREATED,
    ChangedPost: EventType.POST_EDITED,
    PostDeleted: EventType.POST_DELETED,
    NewMedia: EventType.MEDIA_UPLOADED,
    NewEngagement: EventType.ENGAGEMENT_CREATED,
    ViewsCounted: EventType.VIEWS_COUNTED,
    NewUserReport: EventType.USER_REPORT_CREATED,
}


class _CloudEvent(msgspec.Struct, kw_only=True, gc=False):
    specversion: str = "1.0"
    id: str
    source: str = SOURCE
    type: EventType
    time: str
    datacontenttype: str = "application/json"
    data: EventData


class LineWriter:
    """Numbers events and encodes them; one writer a stream, so ids are unique in it."""

    def __init__(self, *, seed: int) -> None:
        self.written = 0
        self._prefix = f"e{seed:x}-"
        self._encode = msgspec.json.Encoder().encode
        self._second = -1
        self._second_text = ""

    def line(self, at_ms: int, data: EventData) -> bytes:
        """Return the event as one line without its newline."""
        self.written += 1
        second, ms = divmod(at_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return self._encode(
            _CloudEvent(
                id=f"{self._prefix}{self.written:x}",
                type=_TYPES[type(data)],
                time=f"{self._second_text}.{ms:03d}Z",
                data=data,
            )
        )
