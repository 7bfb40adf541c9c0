"""Who else a tip names: earlier reports, tied accounts, recipients, and those who were harmed."""

from collections.abc import Collection, Sequence
from datetime import datetime
from ipaddress import ip_address

from nightlight.model.engagement import Engaged
from nightlight.model.event import (
    KEPT_SIGN_INS,
    AccountCreated,
    AccountSignedIn,
    Event,
    EventType,
    Machine,
    PostCreated,
    UserReportCreated,
)
from nightlight.model.ids import AccountId, EventKey
from nightlight.model.person import (
    AssociatedAccount,
    Association,
    CaptureKind,
    Device,
    IntendedRecipient,
    IpCapture,
    Victim,
)
from nightlight.preserve.surroundings import Seen
from nightlight.report.draft import Named
from nightlight.services.filing import earlier_reports
from nightlight.services.networks import linked_accounts
from nightlight.transaction import Transaction

_TIED = 20
#: Of so many posts, registrations, profile changes and sign-ins, the last of each, a tip names the
#: machine.
_CAPTURES = 50
_OF_ACCOUNT = frozenset(
    {EventType.ACCOUNT_CREATED, EventType.ACCOUNT_UPDATED, EventType.ACCOUNT_SIGNED_IN}
)


def named_in(
    tx: Transaction,
    account_id: AccountId,
    posts: Sequence[Event],
    *,
    platform: str,
    sealed: Collection[Seen],
) -> Named:
    """Return who else a tip about an account and these posts of it names.

    Args:
        tx: where it is read from.
        account_id: the account.
        posts: the posts that the tip is about.
        platform: the platform's name.
        sealed: the machines that were sealed with its findings, where the log may have forgotten.
    """
    if not account_id:
        return Named()
    captures, devices = machines_of(tx, account_id, posts, sealed)
    return Named(
        earlier_reports=earlier_reports(tx, account_id),
        associated=_associated(tx, account_id, platform),
        recipients=_recipients(tx, account_id, posts, platform),
        victims=_victims(tx, account_id, posts, platform),
        ip_captures=captures,
        devices=devices,
    )


def machines_of(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event], sealed: Collection[Seen]
) -> tuple[tuple[IpCapture, ...], tuple[Device, ...]]:
    """Return from which addresses and devices an account and these posts of it were seen."""
    seen = _seen(tx, account_id, posts, sealed)
    return (
        tuple(
            IpCapture(address=one.network.strip(), event=_did(event), at=event.time)
            for event, one in seen
            if _is_address(one.network)
        ),
        tuple(
            Device(id_kind="device", id_value=one.device, event=_did(event), at=event.time)
            for event, one in seen
            if one.device
        ),
    )


def _seen(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event], sealed: Collection[Seen]
) -> list[tuple[Event, Machine]]:
    """Return from where the account signed in, was registered and changed, and sent these posts.

    What the log has forgotten is told by what was sealed.
    """
    events = {one.key: one for one in posts}
    # What else was around a finding was sealed with it, and is not what is reported.
    machines = {
        EventKey(one.event_key): one.machine
        for one in sealed
        if one.event_type in _OF_ACCOUNT or one.event_key in events
    }
    told = tx.events.account_machines(account_id, KEPT_SIGN_INS)
    machines |= {event.key: machine for event, machine in told}
    machines |= tx.events.machines([one.key for one in posts])
    events |= {event.key: event for event, _ in told}
    forgotten = tx.events.find([one for one in machines if one not in events])
    events |= {key: one for key, one in forgotten.items() if one.account_id == account_id}
    by_kind: dict[EventType, list[tuple[Event, Machine]]] = {}
    for one in sorted(events.values(), key=_order):
        if one.key in machines:
            by_kind.setdefault(one.type, []).append((one, machines[one.key]))
    newest = [seen for some in by_kind.values() for seen in some[-_CAPTURES:]]
    return sorted(newest, key=lambda seen: _order(seen[0]))


def _order(event: Event) -> tuple[datetime, str]:
    return (event.time, event.key)


def _did(event: Event) -> CaptureKind:
    """Return what the account did, in the CyberTipline's words."""
    match event.data:
        case AccountCreated():
            return CaptureKind.REGISTRATION
        case AccountSignedIn():
            return CaptureKind.LOGIN
        case PostCreated(media_ids=[_, *_]):
            return CaptureKind.UPLOAD
        case _:
            return CaptureKind.OTHER


def _is_address(network: str) -> bool:
    """Return whether a platform named a network by an IP address; some name it otherwise."""
    try:
        ip_address(network.strip())
    except ValueError:
        return False
    return True


def _associated(
    tx: Transaction, account_id: AccountId, platform: str
) -> tuple[AssociatedAccount, ...]:
    """Return the tied accounts of which a person confirmed something; a tie alone says little."""
    tied = linked_accounts(tx, account_id, _TIED)
    known = tx.context.accounts([one.account_id for one in tied])
    return tuple(
        AssociatedAccount(
            kind=Association.LINKED,
            account_id=one.account_id,
            service=platform,
            handle=known[one.account_id].handle,
            profile_urls=_told(known[one.account_id].profile_url),
            prior_reports=earlier_reports(tx, one.account_id),
            info=f"Both show the same: {', '.join(sorted({tie.kind.value for tie in one.ties}))}.",
        )
        for one in tied
        if one.account_id in known and known[one.account_id].human_decision == "confirmed"
    )


def _recipients(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event], platform: str
) -> tuple[IntendedRecipient, ...]:
    sent = [one.data for one in posts if isinstance(one.data, PostCreated)]
    names = dict.fromkeys(AccountId(to) for one in sent for to in one.recipients)
    known = tx.context.accounts(names)
    return tuple(
        IntendedRecipient(
            account_id=name,
            service=platform,
            handle=known[name].handle if name in known else "",
            profile_urls=_told(known[name].profile_url) if name in known else (),
        )
        for name in names
        if name != account_id
    )


def _victims(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event], platform: str
) -> tuple[Victim, ...]:
    """Return who reported the account or these posts and said to be the one who was harmed."""
    acts = [
        *tx.engagements.with_accounts([account_id]),
        *tx.engagements.with_posts([one.post_id for one in posts]),
    ]
    keys = dict.fromkeys(one.event_key for one in acts if one.kind is Engaged.USER_REPORT)
    told = [one.data for one in tx.events.find(list(keys)).values()]
    names = dict.fromkeys(
        one.account_id for one in told if isinstance(one, UserReportCreated) and one.harmed
    )
    known = tx.context.accounts([AccountId(name) for name in names])
    return tuple(
        Victim(
            account_id=name,
            service=platform,
            handle=known[AccountId(name)].handle if AccountId(name) in known else "",
            info="Reported it to the platform, and said to be the one who was harmed.",
        )
        for name in names
        if name != account_id
    )


def _told(url: str) -> tuple[str, ...]:
    return (url,) if url else ()
