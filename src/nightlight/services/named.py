"""Who else a tip names: earlier reports, tied accounts, recipients, and those who were harmed."""

from collections.abc import Sequence
from ipaddress import ip_address

from nightlight.model.engagement import Engaged
from nightlight.model.event import (
    KEPT_SIGN_INS,
    AccountCreated,
    AccountSignedIn,
    Event,
    Machine,
    PostCreated,
    UserReportCreated,
)
from nightlight.model.ids import AccountId
from nightlight.model.person import (
    AssociatedAccount,
    Association,
    CaptureKind,
    Device,
    IntendedRecipient,
    IpCapture,
    Victim,
)
from nightlight.report.draft import Named
from nightlight.services.filing import earlier_reports
from nightlight.services.networks import linked_accounts
from nightlight.transaction import Transaction

_TIED = 20
#: Of so many posts, the last ones, a tip names the machine.
_CAPTURES = 50
#: Of so many profile changes and sign-ins, the last ones, too.
_OF_ACCOUNT = KEPT_SIGN_INS


def named_in(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event], *, platform: str
) -> Named:
    """Return who else a tip about an account and these posts of it names."""
    if not account_id:
        return Named()
    seen = _seen(tx, account_id, posts)
    return Named(
        earlier_reports=earlier_reports(tx, account_id),
        associated=_associated(tx, account_id, platform),
        recipients=_recipients(tx, account_id, posts, platform),
        victims=_victims(tx, account_id, posts, platform),
        ip_captures=tuple(
            IpCapture(address=one.network.strip(), event=_did(event), at=event.time)
            for event, one in seen
            if _is_address(one.network)
        ),
        devices=tuple(
            Device(id_kind="device", id_value=one.device, event=_did(event), at=event.time)
            for event, one in seen
            if one.device
        ),
    )


def _seen(
    tx: Transaction, account_id: AccountId, posts: Sequence[Event]
) -> list[tuple[Event, Machine]]:
    """Return from where the account signed in, was registered and changed, and sent these posts."""
    machines = tx.events.machines([one.key for one in posts])
    sent = [(one, machines[one.key]) for one in posts if one.key in machines][-_CAPTURES:]
    told = tx.events.account_machines(account_id, _OF_ACCOUNT)
    return sorted([*told, *sent], key=lambda one: (one[0].time, one[0].key))


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
