"""Reads from a text how to reach or pay its author elsewhere: links, handles, codes, numbers.

Shapes only, in any language; nothing here says that a text offers anything.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from nightlight.detect.folding import plain
from nightlight.model.link import LinkKind, LinkMark

#: A text is read this far: what an advert says, it says early.
LONGEST = 4_000
#: Marks that one text may leave; a text that lists hundreds of links ties nobody to anybody.
_MOST = 16

_URL = re.compile(
    r"(?:https?://|(?<![\w.@/-])www\.)([^\s<>\"'|]+)"
    r"|(?<![\w.@/-])((?:[a-z0-9-]+\.)+[a-z]{2,12}/[^\s<>\"'|]+)"
)
# Runs of what names are made of are bounded, and begin only where no such run goes before: a text
# made to be slow is searched in the time of any other.
_EMAIL = re.compile(r"(?<![\w.%+-])[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_HANDLE = re.compile(r"(?<![\w/.@])@([a-z0-9_][a-z0-9_.]{2,30})")
_SERVICES = (
    r"telegram|tele|tg|kik|snap(?:chat)?|wickr|session|signal|discord|whats ?app|threema|viber|"
    r"wire|insta(?:gram)?|line"
)
_SERVICE_HANDLE = re.compile(
    rf"(?<!\w)(?:{_SERVICES})(?:\s+(?:id|user|name|username))?"
    r"(?:\s*[:=>]+\s*@?([a-z0-9][a-z0-9_.]{2,40})|\s+([a-z0-9_.]{0,40}[0-9_][a-z0-9_.]{0,40})(?!\w))"
)
#: Words beside which a handle is one to write to; elsewhere it names somebody on the platform.
_PIVOT = re.compile(
    rf"(?<!\w)(?:{_SERVICES}|dms?|dm me|pm|pn|inbox|msg|message|text me|write|contact|ask|add|"
    r"find me|hmu|hit me up|over there|buy|order|escrow|schreib\w*|escrib\w*|пиши)(?!\w)"
)
_PHONE = re.compile(r"(?<![\w.:/-])(?:\+|00|0)\d[\d\s().-]{6,18}\d(?!\w)")
_CODE = re.compile(r"(?<![\w#@/.-])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{12,110}(?!\w)")
_PAYMENT_CODE = re.compile(
    r"bc1[a-z0-9]{20,80}|0x[0-9a-f]{40}|[13][a-z0-9]{25,34}|t[a-z0-9]{33}|[48][a-z0-9]{94}"
    r"|[a-z]{2}\d{2}[a-z0-9]{11,30}"
)
#: What no mark is without.
_MAYBE = re.compile(
    rf"[/@\uff20]|www\.|\+\d|(?<!\d)0\d|[A-Za-z0-9]{{12}}|(?<!\w)(?:{_SERVICES})(?!\w)",
    re.IGNORECASE,
)
#: Hosts whose paths name somebody, and hosts whose paths name somebody to pay.
_HANDLE_HOSTS = frozenset(
    ("t.me", "telegram.me", "wa.me", "kik.me", "discord.gg", "snapchat.com", "signal.me")
)
_PAYMENT_HOSTS = frozenset(("paypal.me", "cash.app", "venmo.com", "ko-fi.com", "buymeacoffee.com"))
_ABOUT_VISITS = re.compile(r"utm_\w+|fbclid|gclid|igshid|igsh|ref|ref_src|source|si|s|share")
_NO_PHONE_LESS, _NO_PHONE_MORE = 9, 15


def contacts_in(text: str, *, is_profile: bool = False) -> tuple[LinkMark, ...]:
    """Return the marks of a post's text, or of a bio, each once, in the order of their kinds."""
    if not may_have_contacts(text):
        return ()
    text = text[:LONGEST]
    lowered = plain(text)
    marks: dict[LinkMark, None] = {}
    for mark in (*_links(lowered), *_named(lowered, is_profile=is_profile), *_codes(text)):
        marks[mark] = None
    return tuple(marks)[:_MOST]


def may_have_contacts(text: str) -> bool:
    """Return False for texts that certainly hold nothing to read here: most of them, fast."""
    return _MAYBE.search(text) is not None


def without_contacts(text: str) -> str:
    """Return the text in plain view without its links, handles and codes."""
    for pattern in (_URL, _EMAIL, _HANDLE):
        text = pattern.sub(" ", text)
    return _CODE.sub(" ", text)


def _links(text: str) -> Iterator[LinkMark]:
    for found in _URL.finditer(text):
        target = _target(found[1] or found[2])
        host, _, rest = target.partition("/")
        name = rest.rpartition("/")[2].lstrip("+$@")
        if host in _HANDLE_HOSTS and name:
            yield LinkMark(kind=LinkKind.OFF_PLATFORM_HANDLE, text=name)
        elif host in _PAYMENT_HOSTS and name:
            yield LinkMark(kind=LinkKind.PAYMENT, text=f"{host}/{name}")
        elif "." in host:
            yield LinkMark(kind=LinkKind.LINK_TARGET, text=target)


def _target(link: str) -> str:
    """Return host and path, and of the query what does not only say where a visit came from."""
    address, _, query = link.partition("#")[0].partition("?")
    host, _, path = address.rstrip(".,;:!?)]}/*").partition("/")
    kept = [
        f"{name}={value}" for name, value in parse_qsl(query) if not _ABOUT_VISITS.fullmatch(name)
    ]
    target = f"{host.removeprefix('www.').partition(':')[0]}/{path}".rstrip("/")
    return f"{target}?{'&'.join(sorted(kept))}" if kept else target


def _named(text: str, *, is_profile: bool) -> Iterator[LinkMark]:
    for found in _EMAIL.finditer(text):
        yield LinkMark(kind=LinkKind.CONTACT, text=found[0])
    rest = _URL.sub(" ", text)
    for found in _SERVICE_HANDLE.finditer(rest):
        name = (found[1] or found[2]).strip("._")
        yield LinkMark(kind=LinkKind.OFF_PLATFORM_HANDLE, text=name)
    if "@" in rest and (is_profile or _PIVOT.search(rest)):
        for found in _HANDLE.finditer(_EMAIL.sub(" ", rest)):
            yield LinkMark(kind=LinkKind.OFF_PLATFORM_HANDLE, text=found[1].strip("._"))


def _codes(text: str) -> Iterator[LinkMark]:
    """Yield codes and numbers; capitals matter to what is a code, not to which one it is."""
    rest = _URL.sub(" ", text)
    for found in _CODE.finditer(rest):
        code = found[0].casefold()
        is_payment = _PAYMENT_CODE.fullmatch(code) is not None
        yield LinkMark(kind=LinkKind.PAYMENT if is_payment else LinkKind.CONTACT, text=code)
    for found in _PHONE.finditer(rest):
        digits = "".join(filter(str.isdigit, found[0])).lstrip("0")
        if _NO_PHONE_LESS <= len(digits) <= _NO_PHONE_MORE:
            yield LinkMark(kind=LinkKind.CONTACT, text=digits)
