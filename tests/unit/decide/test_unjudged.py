"""An event that could not be judged is held, and a person looks."""

import pytest
from tests.synthetic.builders import event_of

from nightlight.decide.unjudged import unjudged
from nightlight.model.event import AccountCreated, EventData, MediaUploaded, PostCreated
from nightlight.model.signal import SubjectKind


@pytest.mark.parametrize(
    ("data", "kind", "name"),
    [
        (PostCreated(post_id="p", account_id="a"), SubjectKind.POST, "p"),
        (MediaUploaded(media_id="m", account_id="a", post_id="p"), SubjectKind.MEDIA, "m"),
        (AccountCreated(account_id="a", handle="quib"), SubjectKind.ACCOUNT, "a"),
    ],
    ids=["post", "media", "account"],
)
def test_what_the_event_is_about_is_held(data: EventData, kind: SubjectKind, name: str) -> None:
    event = event_of(data)
    decision = unjudged(event, policy_version="quibble@1:0", why="ZorbleError")
    assert (decision.subject.kind, decision.subject.id) == (kind, name)
    assert decision.asks == ("preserve", "hold", "review")
    assert decision.account_id == "a"
    assert decision.reasons[0].text == "The event could not be judged: ZorbleError."
