"""Guessing is slowed down by address, and nobody else is."""

import pytest

from nightlight.web.attempts import Attempts


def fail(attempts: Attempts, address: str, times: int) -> None:
    for _ in range(times):
        attempts.note_failure(address)


def test_an_address_that_fails_again_and_again_must_wait() -> None:
    attempts = Attempts()
    fail(attempts, "192.0.2.1", 19)
    assert attempts.wait_s("192.0.2.1") == 0.0

    fail(attempts, "192.0.2.1", 1)

    assert attempts.wait_s("192.0.2.1") > 0.0
    assert attempts.wait_s("192.0.2.2") == 0.0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("no address", "no address", True),
    ],
)
def test_addresses_of_one_customer_count_together(*, one: str, other: str, same: bool) -> None:
    attempts = Attempts()
    fail(attempts, one, 30)

    assert (attempts.wait_s(other) > 0.0) is same


def test_what_is_known_of_addresses_does_not_grow_without_end() -> None:
    attempts = Attempts()
    fail(attempts, "192.0.2.1", 30)
    for number in range(10_001):
        attempts.note_failure(f"name-{number}")

    assert attempts.wait_s("192.0.2.1") == 0.0
