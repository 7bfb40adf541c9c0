"""Which events are acts on somebody else's post or account. Pure."""

from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.event import EngagementCreated, Event, PostCreated, UserReportCreated
from nightlight.model.ids import AccountId, PostId


def engagement_of(event: Event) -> Engagement | None:
    """Return the act that an event tells of, None where it tells of none."""
    match event.data:
        case EngagementCreated() as data:
            kind, reply = Engaged(data.kind), ""
            # Somebody is followed, whichever of their posts led there.
            post = "" if kind is Engaged.FOLLOW else data.post_id
            target = data.target_account_id
        case UserReportCreated() as data:
            kind, post, target, reply = (
                Engaged.USER_REPORT,
                data.post_id,
                data.target_account_id,
                "",
            )
        case PostCreated(reply_to=reply_to) as data if reply_to:
            kind, post, target, reply = Engaged.REPLY, reply_to, "", data.post_id
        case _:
            return None
    return Engagement(
        event_key=event.key,
        account_id=event.account_id,
        kind=kind,
        post_id=PostId(post),
        target_id=AccountId(target),
        at=event.time,
        reply_id=PostId(reply),
    )
