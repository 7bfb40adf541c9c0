"""Reads from events what may tie their account to others: see ``LinkKind``.

What is read of which event is a matter of room. Every account's profile, device and network, and
every way to reach or pay an author that a post shows: few and telling. The wording of a post
(``TEMPLATE``, nine tokens) only where the post shows such a way, where a signal fired, or where
its author deleted it: of ordinary posts it would be most of the database and tie nobody.
"""

import re
from collections.abc import Iterator, Sequence

from nightlight.detect.contacts import LONGEST, contacts_in, without_contacts
from nightlight.detect.folding import plain, skeleton
from nightlight.detect.near_duplicate import fingerprint
from nightlight.model.context import PostContext
from nightlight.model.event import (
    AccountCreated,
    AccountUpdated,
    Event,
    PostCreated,
    PostDeleted,
    PostEdited,
)
from nightlight.model.link import LinkKind, LinkMark
from nightlight.model.signal import Signal

#: Sketches are cut into bands; texts alike share a band sooner or later. With eight bands of five
#: bytes, 80 of 100 pairs that are 0.8 alike share two, and 1 of 100 that are 0.4 alike.
BANDS, _BAND_BYTES = 8, 5
#: Of a bio, a few long ones: it is copied, not reworded.
_BIO_BANDS, _BIO_BAND_BYTES = 4, 6
_WHOLE = "letters:"
_LEAST_TEMPLATE, _LEAST_HANDLE, _LEAST_NAME = 20, 4, 4
_NO_LETTER = re.compile(r"[\W\d_]+")
_NO_SIGN = re.compile(r"[\W_]+")
#: What is put around a name by somebody who lost the account of that name.
_AROUND = re.compile(
    r"^(?:the|real|its|itsme|iam|im|official|new|my|xo)(?=[a-z]{4})"
    r"|(?<=[a-z]{4})(?:real|official|new|backup|back|alt|again|main|two|ii)$"
)


def marks_of(event: Event) -> tuple[LinkMark, ...]:
    """Return what the event itself shows of its account."""
    data = event.data
    if isinstance(data, PostCreated | PostEdited):
        contacts = contacts_in(data.text)
        told = template_of(data.text) if contacts else ()
        machine = _machine_of(data) if isinstance(data, PostCreated) else ()
        return (*contacts, *told, *machine)
    if isinstance(data, AccountCreated | AccountUpdated):
        return (
            *handle_marks(data.handle or ""),
            *_name_marks(data.display_name or ""),
            *_bio_marks(data.bio or ""),
            *_machine_of(data),
        )
    return ()


def marks_after(
    event: Event, post: PostContext | None, signals: Sequence[Signal]
) -> tuple[LinkMark, ...]:
    """Return what the event shows besides, now that it is judged."""
    data = event.data
    if isinstance(data, PostDeleted):
        sketch = post.fingerprint if post is not None and data.deleted_by == "author" else b""
        return tuple(_bands(LinkKind.TEMPLATE, sketch, BANDS, _BAND_BYTES))
    if not signals:
        return ()
    entries = sorted({entry for one in signals for entry in _bank_entries(one)})
    media = tuple(LinkMark(kind=LinkKind.MEDIA, text=entry) for entry in entries)
    if isinstance(data, PostCreated | PostEdited):
        return (*media, *template_of(data.text))
    return media


def template_of(text: str) -> tuple[LinkMark, ...]:
    """Return the marks of a text's wording: without what is swapped, and in bands."""
    letters = _NO_LETTER.sub("", skeleton(without_contacts(plain(text[:LONGEST]))))
    exact = LinkMark(kind=LinkKind.TEMPLATE, text=f"{_WHOLE}{letters}")
    bands = _bands(LinkKind.TEMPLATE, fingerprint(text), BANDS, _BAND_BYTES)
    return (*((exact,) if len(letters) >= _LEAST_TEMPLATE else ()), *bands)


def is_whole_template(mark: LinkMark) -> bool:
    """Return whether a mark is a whole wording, and not one band of its sketch."""
    return mark.kind is LinkKind.TEMPLATE and mark.text.startswith(_WHOLE)


def handle_marks(handle: str) -> tuple[LinkMark, ...]:
    """Return a handle without its separators, and its letters without what is put around them."""
    whole = _squashed(handle)
    core = _AROUND.sub("", _NO_LETTER.sub("", whole))
    texts = dict.fromkeys(one for one in (whole, f"core:{core}") if len(core) >= _LEAST_HANDLE)
    return tuple(LinkMark(kind=LinkKind.HANDLE, text=one) for one in texts)


def handle_variants(handle: str) -> tuple[LinkMark, ...]:
    """Return handles of which this one may be a variant: to be looked up, never to be kept."""
    whole = _squashed(handle)
    texts = (_AROUND.sub("", whole), whole[:-1], whole[:-2])
    wanted = dict.fromkeys(
        one for one in texts if len(_NO_LETTER.sub("", one)) >= _LEAST_HANDLE and one != whole
    )
    return tuple(LinkMark(kind=LinkKind.HANDLE, text=one) for one in wanted)


def _squashed(handle: str) -> str:
    # A handle on another server names the server after a second sign.
    return _NO_SIGN.sub("", skeleton(handle.removeprefix("@").partition("@")[0]))


def _name_marks(name: str) -> Iterator[LinkMark]:
    letters = _NO_LETTER.sub("", skeleton(name))
    if len(letters) >= _LEAST_NAME:
        yield LinkMark(kind=LinkKind.NAME, text=letters)


def _bio_marks(bio: str) -> Iterator[LinkMark]:
    if bio:
        yield from contacts_in(bio, is_profile=True)
        yield from _bands(LinkKind.BIO, fingerprint(bio), _BIO_BANDS, _BIO_BAND_BYTES)


def _machine_of(data: AccountCreated | AccountUpdated | PostCreated) -> Iterator[LinkMark]:
    if data.device:
        yield LinkMark(kind=LinkKind.DEVICE, text=data.device)
    if data.network:
        yield LinkMark(kind=LinkKind.NETWORK, text=data.network)


def _bands(kind: LinkKind, sketch: bytes, count: int, width: int) -> Iterator[LinkMark]:
    if sketch:
        for number in range(count):
            # The first byte of a sketch is its version.
            band = sketch[1 + number * width : 1 + (number + 1) * width]
            yield LinkMark(kind=kind, text=f"{sketch[0]}.{number}:{band.hex()}")


def _bank_entries(signal: Signal) -> list[str]:
    entries = signal.evidence.get("bank_entries")
    return entries if isinstance(entries, list) else []
