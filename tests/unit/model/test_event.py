"""An event tells whose and what it is about, whatever its type."""

import pytest
from tests.synthetic.builders import event_of

from nightlight.errors import InvalidInput
from nightlight.model.event import (
    DATA_TYPES,
    AccountCreated,
    EventData,
    EventType,
    MediaUploaded,
    PostCreated,
    ViewsCounted,
)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (PostCreated(post_id="p", account_id="a"), ("a", "p", "")),
        (MediaUploaded(media_id="m", account_id="a", post_id="p"), ("a", "p", "m")),
        (AccountCreated(account_id="a", handle="quib"), ("a", "", "")),
        (ViewsCounted(post_id="p", views=1), ("", "p", "")),
    ],
    ids=["post", "media", "account", "views"],
)
def test_event_names_account_post_and_media(data: EventData, names: tuple[str, str, str]) -> None:
    event = event_of(data)
    assert (event.account_id, event.post_id, event.media_id) == names


def test_every_event_type_has_its_own_data() -> None:
    assert set(DATA_TYPES) == set(EventType)
    assert len(set(DATA_TYPES.values())) == len(EventType)


def test_error_says_field_fault_and_remedy() -> None:
    assert str(InvalidInput("is empty", field="id", hint="name it")) == "id: is empty (name it)"
    assert str(InvalidInput("is empty")) == "is empty"
