"""Content, hashes, terms and personal data never show when a value is printed."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from msgspec import Struct
from rich.pretty import pretty_repr
from tests.synthetic.builders import event_of

import nightlight.ingest
import nightlight.model
from nightlight.model.event import PostCreated
from nightlight.model.lexicon import Lexicon, Term, TermKind
from nightlight.model.media import MediaHashes

MARK = "zorbleflux-mark"
#: Printed in full: ids, keyed hashes, states, counts, and words that a reviewer or a rule wrote.
PLAIN = {
    "Access",
    "AccountAction",
    "AccountRole",
    "Accounted",
    "Act",
    "Activity",
    "Answered",
    "AuditEntry",
    "Bank",
    "BankMatch",
    "BankVersion",
    "Case",
    "ChainedEntry",
    "Confusion",
    "Context",
    "Counted",
    "CustodyRequest",
    "Deadline",
    "Decision",
    "Destruction",
    "Effect",
    "Engagement",
    "EngagementCreated",
    "Event",
    "EvidenceRead",
    "Filing",
    "Hold",
    "HoldEvent",
    "KeptPost",
    "Lexicon",
    "Line",
    "LexiconChange",
    "Link",
    "LinkToken",
    "LinkedAccount",
    "LoggedEvent",
    "Material",
    "NotReportedReason",
    "Part",
    "PostDeleted",
    "Reason",
    "ReportDecision",
    "Shared",
    "Sifted",
    "Signal",
    "Statement",
    "StatementDelivery",
    "Subject",
    "Threshold",
    "ThresholdRule",
    "ViewsCounted",
    "WordUse",
}
#: What a masked value may still show, so that a person can find it again.
SHOWN = {"id", "account_id", "post_id", "media_id", "evidence_id", "state"}
#: A rejection says where and why; parsing promises that the reason quotes nothing.
SHOWN_OF = {"Rejected": {"line_number", "reason"}}


def structs() -> Iterator[type[Struct]]:
    for package in (nightlight.model, nightlight.ingest):
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for value in vars(module).values():
                is_struct = isinstance(value, type) and issubclass(value, Struct)
                if is_struct and value.__module__ == module.__name__:
                    yield value


STRUCTS = list(structs())
MASKED = [one for one in STRUCTS if one.__name__ not in PLAIN]


def marked(kind: type[Struct]) -> Struct:
    shown = SHOWN | SHOWN_OF.get(kind.__name__, set())
    fields = kind.__struct_fields__
    return kind(**{name: "shown" if name in shown else MARK for name in fields})


def test_every_type_is_found() -> None:
    names = {one.__name__ for one in STRUCTS}
    assert names >= PLAIN
    assert names >= {"PostCreated", "MediaHashes", "Term", "BankEntry", "Evidence", "Rejected"}


@pytest.mark.parametrize("kind", MASKED, ids=lambda kind: kind.__name__)
def test_printing_shows_no_content(kind: type[Struct]) -> None:
    value = marked(kind)
    for printed in (repr(value), str(value), f"{value}", f"{[value]}", pretty_repr(value)):
        assert MARK not in printed


def test_values_inside_of_plain_ones_are_masked_too() -> None:
    term = Term(id="t1", kind=TermKind.TERM, text=MARK)
    lexicon = Lexicon(name="quibble", version=1, terms=(term,))
    event = event_of(PostCreated(post_id="p", account_id="a", text=MARK))
    assert MARK not in f"{lexicon!r} {lexicon} {event!r} {event}"


def test_hashes_show_which_kinds_are_known_and_not_their_values() -> None:
    assert repr(MediaHashes(md5="ab" * 16, pdq_quality=50)) == "<MediaHashes: md5, pdq_quality>"
    assert str(MediaHashes()) == "<MediaHashes: none>"
