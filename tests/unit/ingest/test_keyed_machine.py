"""Device and network are keyed before an event is stored."""

from tests.synthetic.builders import event_of

from nightlight.ingest.keyed_machine import with_keyed_machine
from nightlight.model.event import AccountCreated, PostCreated, PostDeleted

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def keyed(device: str = "", network: str = "", *, key: bytes = KEY) -> PostCreated:
    post = PostCreated(post_id="p", account_id="a", device=device, network=network)
    data = with_keyed_machine(event_of(post), key).data
    assert isinstance(data, PostCreated)
    return data


def test_raw_names_are_gone_and_equal_ones_stay_equal() -> None:
    one = keyed("Blip-9000", "192.0.2.7")
    assert "blip" not in one.device.casefold()
    assert "192" not in one.network[:10]
    assert keyed(" blip-9000", "192.0.2.7") == one


def test_another_key_gives_other_hashes() -> None:
    assert keyed("blip").device != keyed("blip", key=OTHER_KEY).device


def test_one_name_as_device_and_as_network_is_not_the_same() -> None:
    one = keyed("blip", "blip")
    assert one.device != one.network


def test_account_is_keyed_too_and_what_names_neither_stays_as_it_is() -> None:
    account = event_of(AccountCreated(account_id="a", handle="h", device="blip"))
    assert with_keyed_machine(account, KEY).data != account.data
    for data in (PostCreated(post_id="p", account_id="a"), PostDeleted(post_id="p")):
        event = event_of(data)
        assert with_keyed_machine(event, KEY) is event
