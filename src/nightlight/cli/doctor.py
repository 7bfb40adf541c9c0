"""``nightlight doctor``: what is configured, what answers, what is wrong and how to mend it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum

import typer
from msgspec import Struct

from nightlight.bootstrap import build_services, missing_walls
from nightlight.cli.console import Json, fields_of, out, print_json
from nightlight.errors import NightlightError, Unavailable
from nightlight.model.cybertip import Destination
from nightlight.model.statement import StatementState
from nightlight.report.remedy import is_in_doubt, remedy
from nightlight.services import Services
from nightlight.services.receipts import changed
from nightlight.services.rules import active_policy
from nightlight.settings import Settings, read_settings
from nightlight.transaction import StoredTip

_STALE_S = 60.0
#: Work signs the record every minute.
_SIGNED_WITHIN_S = 3600
#: The worker publishes every hour.
_PUBLISHED_WITHIN = timedelta(hours=2)
#: The worker verifies all of the record every week, or as the settings say: a day late is late.
_LATE = timedelta(days=1)
#: So many entries are verified in a second or two.
_SOON_VERIFIED = 200_000
#: An unfinished report is dropped after 24 hours: some are left to act.
_OPEN_FOR = timedelta(hours=20)
#: For so long a filed tip of an overturned case is told of.
_TOLD_FOR = timedelta(days=30)
#: The worker tries every hour.
_DESTROYED_WITHIN = timedelta(hours=2)
_LISTED = 1_000


class Health(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


class Finding(Struct, frozen=True, kw_only=True):
    """One part, how it is, and what to do."""

    part: str
    health: Health
    says: str
    mend: str = ""


_COLOURS = {Health.OK: "green", Health.WARNING: "yellow", Health.WRONG: "bold red"}


def doctor(*, json: Json = False) -> None:
    """Check settings, database, keys, lists, policy, partners and the record.

    Leaves with 1 if anything is wrong; warnings alone leave with 0.
    """
    wrong = False
    for finding in _examine():
        wrong = wrong or finding.health is Health.WRONG
        if json:
            print_json(fields_of(finding))
            continue
        colour = _COLOURS[finding.health]
        out.print(f"[{colour}]{finding.health:<8}[/] {finding.part:<14} ", end="")
        out.print(finding.says, markup=False)
        if finding.mend:
            out.print(f"{'':24}mend: {finding.mend}", markup=False)
    if wrong:
        raise typer.Exit(1)


def _examine() -> Iterator[Finding]:
    try:
        settings = read_settings()
        yield _ok("settings", f"home {settings.home}")
        services = build_services(settings)
    except NightlightError as error:
        part = "key service" if error.field.startswith("NIGHTLIGHT_KMS") else "settings"
        mend = error.hint or ("start it, or correct it" if part == "key service" else "")
        yield Finding(part=part, health=Health.WRONG, says=_problem(error), mend=mend)
        return
    yield _ok("database", _database_name(settings))
    if settings.key_service is not None:
        yield _ok("key service", settings.key_service.url)
    yield from _vault(services)
    yield from _lists(services)
    yield from _alone(services)
    yield from _policy(services)
    yield _platform(services)
    yield _cybertipline(services)
    yield from _hotline(services)
    yield _media(settings)
    yield _sandbox()
    yield from _work(services)
    yield _report_decisions(services)
    yield from _statements(services)
    yield _record(services)
    yield _checkpoints(services)


def _vault(services: Services) -> Iterator[Finding]:
    """Yield whether the vault takes, gives and destroys; one that is not made yet is not asked."""
    bucket, folder = services.settings.vault_bucket, services.settings.vault_directory
    if bucket is None and not folder.is_dir():
        return
    try:
        services.vault.probe()
    except NightlightError as error:
        yield Finding(
            part="vault",
            health=Health.WRONG,
            says=f"{_problem(error)}; what cannot be sealed is held",
            mend=error.hint or "docs/operations/evidence.md",
        )
        return
    yield _ok("vault", f"bucket {bucket.name}" if bucket else str(folder))


def _problem(error: NightlightError) -> str:
    """Return what is wrong, without the remedy, which has a line of its own."""
    said = str(error.args[0])
    return f"{error.field}: {said}" if error.field else said


def _database_name(settings: Settings) -> str:
    url = settings.database_url
    return str(url) if url.startswith("sqlite") else f"postgresql at {url.rpartition('@')[2]}"


def _lists(services: Services) -> Iterator[Finding]:
    banks, lexicons = services.lists.summaries()
    for part, found, command in (
        ("hash banks", banks, "nightlight bank import FILE --name NAME --by WHO --reason WHY"),
        ("lexicons", lexicons, "nightlight lexicon import FILE --name NAME --by WHO --reason WHY"),
    ):
        total = sum(one.entries for one in found)
        if total:
            yield _ok(part, f"{len(found)} with {total:,} entries")
        else:
            yield _warning(part, "none: nothing of this kind can be found", command)


def _alone(services: Services) -> Iterator[Finding]:
    """Yield that nobody but their author looked at lexicons, and that none has to."""
    alone, people = services.lexicons.made_alone(), services.lexicons.people()
    mend = "let another person approve: nightlight lexicon import without --alone, then approve"
    if alone:
        names = ", ".join(sorted(one.lexicon for one in alone))
        yield _warning("one person", f"lexicons as one person alone made them: {names}", mend)
    if services.lexicons.is_one_enough:
        known = f"{len(people)} people are known" if people[1:] else "nobody else is known"
        yield _warning(
            "one person",
            f"NIGHTLIGHT_ONE_PERSON_LISTS lets one person change lexicons; {known}",
            "take the setting away once two people work here",
        )


def _policy(services: Services) -> Iterator[Finding]:
    with services.unit_of_work.read() as tx:
        chosen = tx.policies.active() is not None
        try:
            policy = active_policy(tx)
            services.rules()
        except NightlightError as error:
            yield Finding(part="policy", health=Health.WRONG, says=_problem(error), mend=error.hint)
            return
    if chosen:
        yield _ok("policy", f"{policy.version}, {len(policy.rules)} rules")
    else:
        yield _warning(
            "policy",
            f"the built-in one is in force: {policy.version}",
            "nightlight policy default > policy.toml, change it, nightlight policy activate",
        )


def _platform(services: Services) -> Finding:
    settings = services.settings.platform
    if settings is None:
        return _warning(
            "platform", "not configured: effects wait in the outbox", "set NIGHTLIGHT_PLATFORM_URL"
        )
    if services.dispatcher is not None and services.dispatcher.is_reachable():
        return _ok("platform", settings.url)
    return Finding(
        part="platform",
        health=Health.WRONG,
        says=f"{settings.url} does not answer; effects wait and are retried",
        mend="start it, or correct NIGHTLIGHT_PLATFORM_URL",
    )


def _cybertipline(services: Services) -> Finding:
    settings = services.settings.cybertipline
    if settings is None or services.cybertipline is None:
        return _warning(
            "CyberTipline", "not configured: tips wait as drafts", "set NIGHTLIGHT_CYBERTIPLINE_URL"
        )
    try:
        services.cybertipline.status()
        services.tip_desk.check_line()
    except NightlightError as error:
        return Finding(
            part="CyberTipline",
            health=Health.WRONG,
            says=f"{settings.url}: {error}",
            mend=error.hint or "check NIGHTLIGHT_CYBERTIPLINE_URL, _USER and _PASSWORD",
        )
    person = services.settings.reporter.person
    if not (person.first_name and person.last_name and person.email):
        return Finding(
            part="CyberTipline",
            health=Health.WRONG,
            says="nobody is named who reports: tips would reach NCMEC without a contact",
            mend="set NIGHTLIGHT_REPORTER_FIRST_NAME, _LAST_NAME and _EMAIL",
        )
    return _ok("CyberTipline", settings.url)


def _hotline(services: Services) -> Iterator[Finding]:
    hotline = services.settings.hotline
    with services.unit_of_work.read() as tx:
        policy = active_policy(tx)
    wanted = Destination.HOTLINE in {
        *(place for one in policy.confirmed.values() for place in one.report_to),
        *(place for one in policy.report_routes for place in one.report_to),
    }
    if hotline is not None:
        yield _ok("hotline", f"packages go to {hotline.folder}")
    elif wanted:
        yield Finding(
            part="hotline",
            health=Health.WRONG,
            says="the policy reports to a hotline, and none is configured: its tips wait",
            mend="set NIGHTLIGHT_HOTLINE_DIRECTORY and NIGHTLIGHT_HOTLINE_RECIPIENT",
        )


def _media(settings: Settings) -> Finding:
    if settings.media_root is None and not settings.media_origins:
        return _warning(
            "media",
            "no place to fetch from: media without hashes of its own is held",
            "set NIGHTLIGHT_MEDIA_ORIGINS or NIGHTLIGHT_MEDIA_ROOT",
        )
    places = [str(settings.media_root)] if settings.media_root else []
    return _ok("media", ", ".join([*places, *settings.media_origins]))


def _sandbox() -> Finding:
    try:
        missing = missing_walls()
    except NightlightError as error:
        return Finding(
            part="sandbox",
            health=Health.WRONG,
            says=f"{error}: every file is held",
            mend="see that this machine has memory left and that its installation is whole",
        )
    if missing:
        return _warning(
            "sandbox",
            f"decoders of hostile files run without: {', '.join(missing)}",
            "use Linux 5.13 or newer on x86-64 or arm64, with Landlock and seccomp",
        )
    return _ok("sandbox", "every wall around decoders holds")


def _work(services: Services) -> Iterator[Finding]:
    now = services.clock.now()
    with services.unit_of_work.read() as tx:
        figures = tx.figures.figures()
        beats = tx.heartbeats.last()
    beat = beats.get("worker")
    age = (now - beat[0]).total_seconds() if beat else None
    if age is not None and age < _STALE_S and beat and beat[1]:
        yield Finding(
            part="worker",
            health=Health.WRONG,
            says=f"alive {age:.0f} s ago, but steps of its work fail: {beat[1]}",
            mend="its log says why: step.failed",
        )
    elif age is not None and age < _STALE_S:
        yield _ok("worker", f"alive {age:.0f} s ago")
    else:
        yield _warning("worker", "not running", "nightlight serve")
    waiting = figures.effects.get("pending", 0)
    dead = figures.effects.get("dead", 0)
    if dead:
        yield Finding(
            part="outbox",
            health=Health.WRONG,
            says=f"{dead:,} effects were refused by the platform for good",
            mend="see the Decisions page of the console; the platform must carry them out by hand",
        )
    else:
        yield _ok("outbox", f"{waiting:,} effects waiting")
    if figures.quarantined:
        yield _warning(
            "quarantine",
            f"{figures.quarantined:,} lines could not be read",
            "nightlight audit list",
        )
    yield from _tips(services)
    yield from _receipts(services)
    yield from _destructions(services)
    yield from _kept_posts(services)


def _kept_posts(services: Services) -> Iterator[Finding]:
    """Yield of how many deleted posts with a signal a file could not be had any more."""
    with services.unit_of_work.read() as tx:
        given_up = tx.kept_posts.given_up()
    if given_up:
        yield _warning(
            "deleted posts",
            f"{given_up:,} with a signal are sealed without a file: it could not be fetched",
            "nightlight evidence deleted lists them",
        )


def _destructions(services: Services) -> Iterator[Finding]:
    """Yield what was ordered to be destroyed a while ago, and was not."""
    with services.unit_of_work.read() as tx:
        missing = tx.custody.missed(_LISTED)
        late = tx.custody.late(services.clock.now() - _DESTROYED_WITHIN, _LISTED)
    if missing:
        yield Finding(
            part="vault",
            health=Health.WRONG,
            says=f"{_many(missing)}files that are to be destroyed are missing from it",
            mend="nightlight evidence missing; docs/operations/evidence.md",
        )
    if late:
        yield Finding(
            part="destruction",
            health=Health.WRONG,
            says=f"{_many(late)}ordered destructions were not carried out",
            mend="nightlight evidence destroy says why",
        )


def _many(listed: Sequence[object]) -> str:
    return f"{len(listed):,} " + ("or more " if len(listed) == _LISTED else "")


def _tips(services: Services) -> Iterator[Finding]:
    """Yield what a person must do about tips; the command is of the first where it is one."""
    now = services.clock.now()
    with services.unit_of_work.read() as tx:
        refused = tx.tips.refused()
        unreadable = tx.tips.unreadable()
        elsewhere = tx.tips.filed_elsewhere()
        overdue = tx.tips.overdue(now)
        unfinished = tx.tips.unfinished(now - _OPEN_FOR)
        appealed = tx.tips.waiting_for_appeals()
        in_vain = tx.tips.filed_in_vain(now - _TOLD_FOR)
    doubted = [one for one in refused if is_in_doubt(one.filing)]
    left = [one for one in refused if one.filing.remote_id and one not in doubted]
    late = [one for one in overdue if not one.appealed]
    waiting = [one for one in overdue if one.appealed]
    by_hand = "file by hand now: docs/operations/tips.md"
    open_for = f"{_OPEN_FOR.total_seconds() / 3600:.0f} hours: NCMEC drops it after 24"
    go_on = "nightlight report file goes on with them; nightlight report list says why they wait"
    for health, tips, says, mend in (
        (Health.WRONG, unreadable, "cannot be read, and are not filed", ""),
        (Health.WRONG, refused, "were refused", "nightlight report list says why"),
        (Health.WRONG, late, "are past their deadline", by_hand),
        (Health.WRONG, waiting, "are past their deadline and wait for an appeal", ""),
        (Health.WRONG, doubted, "are refused and may be filed already", ""),
        (Health.WRONG, left, "are refused and may have a report open or finished", ""),
        (Health.WRONG, unfinished, f"have a report open, unfinished for over {open_for}", go_on),
        (Health.WARNING, appealed, "wait for the end of an appeal", ""),
        (Health.WARNING, elsewhere, "were filed at another line, which is no report here", ""),
        (Health.WARNING, in_vain, "were filed of cases that were overturned lately", ""),
    ):
        if tips:
            yield Finding(
                part="tips",
                health=health,
                says=f"{len(tips):,} tips {says}",
                mend=mend or _first_remedy(tips),
            )


def _receipts(services: Services) -> Iterator[Finding]:
    """Yield that filed tips are not as the record says; of a long record that is asked apart."""
    with services.unit_of_work.read() as tx:
        if tx.audit.head()[0] > _SOON_VERIFIED:
            return
        found = changed(tx)
    if found:
        yield Finding(
            part="receipts",
            health=Health.WRONG,
            says=f"{found[0].tip_id}: {found[0].says}" + _and_others(len(found) - 1),
            mend="nightlight report receipts; keep the database as it is and find out who did it",
        )


def _and_others(count: int) -> str:
    return f", and {count:,} more" if count else ""


def _first_remedy(tips: Sequence[StoredTip]) -> str:
    first = tips[0]
    found = remedy(
        first.filing,
        appealed=first.appealed,
        overturned=first.overturned,
        trouble=first.trouble,
        elsewhere=first.elsewhere,
        undrafted=first.undrafted,
    )
    others = "; nightlight report list has the others" if tips[1:] else ""
    return found + others


def _report_decisions(services: Services) -> Finding:
    found = services.report_decisions.reconcile().total
    if found.unexplained:
        return Finding(
            part="suspensions",
            health=Health.WRONG,
            says=f"{found.unexplained:,} have no report decision: the database was changed by hand",
            mend="keep the database as it is and find out who changed it",
        )
    if found.overdue:
        return Finding(
            part="suspensions",
            health=Health.WRONG,
            says=f"{found.overdue:,} are undecided beyond their deadline",
            mend="nightlight report undecided",
        )
    return _ok("suspensions", f"{found.suspended:,}, of which {found.undecided:,} are undecided")


def _statements(services: Services) -> Iterator[Finding]:
    if services.statements is None:
        return
    with services.unit_of_work.read() as tx:
        counts = tx.statements.counts()
    waiting, refused = counts.get(StatementState.WAITING, 0), counts.get(StatementState.REFUSED, 0)
    if refused:
        yield Finding(
            part="statements",
            health=Health.WRONG,
            says=f"{refused:,} statements of reasons were refused",
            mend="nightlight statement list --state refused says why",
        )
    else:
        yield _ok("statements", f"{waiting:,} waiting, {counts.get(StatementState.SENT, 0):,} sent")


def _record(services: Services) -> Finding:
    """Verify the record; of a long one what is new, and say how long ago the rest was."""
    with services.unit_of_work.read() as tx:
        is_long = tx.audit.head()[0] > _SOON_VERIFIED
    try:
        found = services.record.verify(since_last=is_long)
    except Unavailable as error:
        return Finding(part="record", health=Health.WRONG, says=_problem(error), mend=error.hint)
    if not found.intact:
        return Finding(
            part="record",
            health=Health.WRONG,
            says=f"broken at entry {found.faults[0].seq}: {found.faults[0].problem}",
            mend="keep the database as it is, find out why: docs/operations/record.md",
        )
    verified = services.record.verified()
    whole = services.clock.now() - verified.whole_at if verified else timedelta()
    says = f"intact, {found.seq:,} entries; verified whole {_ago(whole)}"
    at_least = timedelta(days=services.settings.record.verify_whole_every_days)
    if whole > at_least + _LATE:
        return _warning("record", says, "nightlight audit verify")
    return _ok("record", says)


def _checkpoints(services: Services) -> Finding:
    record = services.record
    last, published = record.last_checkpoint(), record.published()
    if last is None:
        return _warning(
            "checkpoints", "none: losing the newest entries would not show", "nightlight serve"
        )
    now = services.clock.now()
    says = f"entry {last.seq:,} signed {_ago(now - last.at)}"
    with services.unit_of_work.read() as tx:
        unsigned = next(iter(tx.audit.stored(after=last.seq, limit=1)), None)
    written = int(now.timestamp()) - unsigned.at_us // 1_000_000 if unsigned else 0
    if written > _SIGNED_WITHIN_S:
        says += ": what came since is not signed, and losing it would not show"
        return _warning("checkpoints", says, "nightlight serve")
    if not record.publishes:
        return _ok("checkpoints", f"{says}; published nowhere")
    if published is None or published.at is None or published.failure:
        why = published.failure if published else "not yet"
        return _warning("checkpoints", f"{says}; not published: {why}", "nightlight audit publish")
    if published.seq < last.seq and now - published.at > _PUBLISHED_WITHIN:
        says += f"; none published since entry {published.seq:,}, {_ago(now - published.at)}"
        return _warning("checkpoints", says, "nightlight serve, or nightlight audit publish")
    return _ok(
        "checkpoints", f"{says}; entry {published.seq:,} published {_ago(now - published.at)}"
    )


def _ago(age: timedelta) -> str:
    """Return an age in words that a person can weigh."""
    seconds = age.total_seconds()
    for name, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {name} ago"
    return f"{max(seconds, 0):.0f} s ago"


def _ok(part: str, says: str) -> Finding:
    return Finding(part=part, health=Health.OK, says=says)


def _warning(part: str, says: str, mend: str) -> Finding:
    return Finding(part=part, health=Health.WARNING, says=says, mend=mend)
