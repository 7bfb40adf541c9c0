"""Which media an event shows, and what a finding about them is a finding about."""

from nightlight.model.context import Context, MediaContext
from nightlight.model.event import Event, EventType, MediaUploaded, PostCreated, PostEdited
from nightlight.model.signal import Subject, SubjectKind

_NONE: tuple[MediaContext, ...] = ()
_POST_TYPES = frozenset({EventType.POST_CREATED, EventType.POST_EDITED})


def shown_media(event: Event, context: Context) -> tuple[MediaContext, ...]:
    """Return the media that the event announces or that its post carries."""
    if not context.media:
        return _NONE
    if event.type is EventType.MEDIA_UPLOADED:
        return tuple(one for one in context.media if one.media_id == event.media_id)
    return context.media if event.type in _POST_TYPES else _NONE


def shown_ids(event: Event) -> tuple[str, ...]:
    """Return the ids of the media that the event announces or that its post carries."""
    match event.data:
        case MediaUploaded() as data:
            return (data.media_id,)
        case PostCreated() | PostEdited() as data:
            return data.media_ids
        case _:
            return ()


def media_subject(event: Event) -> Subject:
    """Return the media where the event announces one, otherwise the post that shows it."""
    if event.type is EventType.MEDIA_UPLOADED:
        return Subject(kind=SubjectKind.MEDIA, id=event.media_id)
    return Subject(kind=SubjectKind.POST, id=event.post_id)
