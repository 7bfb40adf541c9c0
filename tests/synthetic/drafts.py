"""Tips drafted from generated cases: media and text, public and sent, one case or several."""

import random
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from tests.synthetic.builders import (
    event_of,
    make_account,
    make_case,
    make_decision,
    make_evidence,
    make_media,
    make_signal,
    subject_of,
)
from tests.synthetic.tips import NOW, generated_tip

from nightlight.model.case import CaseState, EvidenceKind
from nightlight.model.cybertip import CyberTip, Destination
from nightlight.model.event import Event, PostCreated, PostEdited
from nightlight.model.ids import AccountId, CaseId
from nightlight.model.incident import Annotation, IncidentType
from nightlight.model.media import MediaHashes, Scan, ScanState
from nightlight.model.signal import SubjectKind
from nightlight.report.draft import ConfirmedCase, Named, draft_tip

_HASHES = MediaHashes(md5="0a" * 16, sha1="0b" * 20, sha256="0c" * 32, pdq="0d" * 32)
_CATEGORIES = ("known_media", "advert", "grooming", "user_report")


def drafted_tip(seed: int) -> CyberTip:
    """Return the tip that is drafted from the cases of this seed."""
    chance = random.Random(seed)  # noqa: S311  nonsense, not secrets
    around = generated_tip(seed)
    account = f"drafted-{seed}"
    cases = [_case(chance, account, f"{seed}-{n}") for n in range(chance.randint(1, 3))]
    names = [one.content_id for case in cases for one in case.evidence]
    scan = Scan(state=ScanState.SCANNED, hashes=_HASHES)
    return draft_tip(
        cases,
        platform=chance.choice(("Zorbleflux", "Z" * 300)),
        signals=[
            make_signal(
                {"hash_exact": chance.random() < 0.5, "hash_bank": "quibble",
                 "hash_classification": chance.choice(("A1", "B2", "", "odd"))},
                detector="hash_match",
                subject=subject_of(SubjectKind.MEDIA, name),
            )
            for name in names
        ],
        media={
            name: make_media(name, scan=scan, url="https://cdn.example.test/a.png")
            for name in names
            if chance.random() < 0.7
        },
        account=make_account(account, handle="quib", bio="b") if chance.random() < 0.8 else None,
        named=Named(
            earlier_reports=tuple(range(1, chance.randint(1, 4))),
            associated=tuple(one for party in around.reported for one in party.associated),
            recipients=around.recipients,
            victims=around.victims,
            ip_captures=tuple(one for party in around.reported for one in party.ip_captures),
            devices=tuple(one for party in around.reported for one in party.devices),
        ),
        now=NOW + timedelta(hours=1),
        classify=chance.random() < 0.5,
        destination=chance.choice(list(Destination)),
        number=chance.randint(1, 3),
        note=chance.choice(("", "They wrote again.")),
    )  # fmt: skip


def _case(chance: random.Random, account: str, name: str) -> ConfirmedCase:
    media = [f"media-{name}-{n}" for n in range(chance.randint(0, 3))]
    evidence = [make_evidence(one) for one in media]
    posts = [_post(chance, f"post-{name}-{n}", account) for n in range(chance.randint(0, 3))]
    case = make_case(
        id=CaseId(f"case-{name}"),
        account_id=AccountId(account if chance.random() < 0.95 else ""),
        state=CaseState.CONFIRMED,
        category=chance.choice(_CATEGORIES),
        severity=chance.randint(0, 100),
    )
    viewed = tuple(one.id for one in evidence if chance.random() < 0.5)
    return ConfirmedCase(
        case=case,
        incident_type=chance.choice(list(IncidentType)),
        decisions=[
            make_decision(name=f"dec-{name}-{n}", minutes=chance.randint(-9_000, 90))
            for n in range(chance.randint(1, 4))
        ],
        evidence=[*evidence, make_evidence(f"event-{name}", kind=EvidenceKind.POST)],
        posts=posts,
        urgent=chance.choice(("", "", "A nonsense danger. " * 300)),
        annotations=tuple(chance.sample(list(Annotation), k=chance.randint(0, 5))),
        viewed=viewed,
        exif_viewed=viewed[:1],
    )


def _post(chance: random.Random, name: str, account: str) -> Event:
    values: dict[str, Any] = {"post_id": name, "account_id": account, "text": "zorble\x0b & <b>"}
    if chance.random() < 0.2:
        return event_of(PostEdited(**values))
    data = PostCreated(**values, url=chance.choice(("", f"https://z.example.test/{name}")))
    if chance.random() < 0.4:
        data = replace(data, recipients=("account-1", account))
    return event_of(data, minutes=chance.randint(-900, 0))
