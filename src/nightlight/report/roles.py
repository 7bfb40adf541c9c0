"""Tells what part each account had in confirmed material: the facts for a report decision. Pure.

A role says what an account did, never what it is; whether that is enough to report is for the
policy and a person. Roles are told only of material that a person confirmed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from nightlight.model.engagement import Engaged, Engagement
from nightlight.model.ids import AccountId, PostId
from nightlight.model.role import SPEAKS_AGAINST, AccountRole, Act, Knowledge, Material, Role

_GRAVITY = {role: place for place, role in enumerate(Role)}
_OFTEN = 3
_SHOWS = {
    Engaged.REPOST: (Knowledge.SHOWED_ON,),
    Engaged.BOOKMARK: (Knowledge.KEPT,),
}


def roles_of(
    material: Sequence[Material],
    engagements: Iterable[Engagement],
    *,
    asks: Callable[[PostId], bool],
) -> list[AccountRole]:
    """Return every account touched by the material, the gravest role first.

    Args:
        material: what was confirmed.
        engagements: acts on it or on the accounts that offered it; others are passed over.
        asks: whether the post in which somebody replied itself carries listed words or an offer.
    """
    acts: defaultdict[AccountId, list[Act]] = defaultdict(list)
    for one in material:
        if one.account_id:
            acts[one.account_id].append(_own(one))
    shown = {one.post_id: one for one in material if one.post_id}
    sellers: dict[AccountId, Material] = {}
    for one in sorted(material, key=lambda one: one.at, reverse=True):
        if one.is_offer:
            sellers[one.account_id] = one  # the earliest offer stays
    for engagement in engagements:
        act = _engaged(engagement, shown, sellers, asks)
        if act is not None and act.owner != engagement.account_id:
            acts[engagement.account_id].append(act)
    told = [_role(account_id, done) for account_id, done in acts.items()]
    return sorted(told, key=lambda one: (_GRAVITY[one.role], -len(one.acts), one.account_id))


def _own(material: Material) -> Act:
    """Return what an account did by publishing its own material."""
    if material.is_offer:
        role, what = Role.ADVERTISER, "offered"
    elif material.is_known:
        role, what = Role.DISTRIBUTOR, "posted"
    elif material.is_text:
        role, what = Role.AUTHOR, "wrote"
    else:
        role, what = Role.CREATOR, "uploaded"
    return Act(
        role=role,
        what=what,
        subject=material.subject,
        owner=material.account_id,
        event_key=material.event_key,
        at=material.at,
        knowledge=material.knowledge,
    )


def _engaged(
    engagement: Engagement,
    shown: Mapping[PostId, Material],
    sellers: Mapping[AccountId, Material],
    asks: Callable[[PostId], bool],
) -> Act | None:
    """Return what an act on somebody else's material shows, None where it is none."""
    material = shown.get(engagement.post_id) if engagement.post_id else None
    role, knowledge = Role.ENGAGER, _SHOWS.get(engagement.kind, ())
    match engagement.kind:
        case Engaged.FOLLOW:
            seller = sellers.get(engagement.target_id)
            if seller is None or engagement.at < seller.at:
                return None  # before the first offer it shows nothing
            return _act(engagement, Role.ENGAGER, str(engagement.target_id), seller.account_id, ())
        case Engaged.USER_REPORT:
            role, knowledge = Role.BYSTANDER, (Knowledge.REPORTED_IT,)
        case Engaged.REPLY if engagement.reply_id and asks(engagement.reply_id):
            knowledge = (Knowledge.ASKED,)
        case Engaged.REPLY:
            role, knowledge = Role.BYSTANDER, (Knowledge.ANSWER_NOT_KNOWN,)
        case _:
            pass
    if material is None:
        return None
    return _act(engagement, role, material.subject, material.account_id, knowledge)


def _act(
    engagement: Engagement,
    role: Role,
    subject: str,
    owner: AccountId,
    knowledge: tuple[Knowledge, ...],
) -> Act:
    return Act(
        role=role,
        what=engagement.kind.value,
        subject=subject,
        owner=owner,
        event_key=engagement.event_key,
        at=engagement.at,
        knowledge=knowledge,
    )


def _role(account_id: AccountId, acts: Sequence[Act]) -> AccountRole:
    ordered = sorted(acts, key=lambda act: (act.at, act.event_key))
    role = min((act.role for act in ordered), key=_GRAVITY.__getitem__)
    known = {one for act in ordered for one in act.knowledge}
    own = [act for act in ordered if act.role is not Role.BYSTANDER]
    if len(own) >= _OFTEN:
        known.add(Knowledge.AGAIN_AND_AGAIN)
    if len({act.owner for act in own if act.owner != account_id}) > 1:
        known.add(Knowledge.SEVERAL_SOURCES)
    if len(own) == 1:
        known.add(Knowledge.ONCE)
    return AccountRole(
        account_id=account_id,
        role=role,
        acts=tuple(ordered),
        knowledge_for=tuple(one for one in Knowledge if one in known - SPEAKS_AGAINST),
        knowledge_against=tuple(one for one in Knowledge if one in known & SPEAKS_AGAINST),
    )
