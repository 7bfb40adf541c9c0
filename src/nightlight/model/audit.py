"""What the record says of one step: who did what to what, why, and under which policy."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

#: Every action that the record knows, and what it says of the entry's subject.
ACTIONS: Mapping[str, str] = {
    "events.accepted": "these events are durably in the log",
    "events.processed": "these events were judged and nothing followed from them",
    "events.quarantined": "input could not be read and is kept sealed for a person",
    "decision.made": "policy decided; the entry names rules, effects and what was withheld",
    "evidence.sealed": "evidence of a case, or of a deleted post, was put into the vault",
    "evidence.opened": "evidence is about to be read, for the purpose given as reason",
    "evidence.given": "a person got all of what they opened, to its last byte",
    "evidence.open_failed": "an alarm: evidence could not be read for a tip, which waits",
    "evidence.viewed": "a person viewed a whole file, here or on the platform",
    "evidence.exported": "evidence was packed for an authority, as two people decided",
    "evidence.packed": "the package of an export was written whole; the entry has its SHA-256",
    "evidence.destruction_ordered": "evidence of the case is due to be destroyed, and will be",
    "evidence.spared": "evidence that was to be destroyed is kept after all; the reason says why",
    "evidence.destroyed": "the certificate: evidence is gone, what was found before, and the rule",
    "evidence.missed": "an alarm: what was to be destroyed is not in the vault; nothing was done",
    "evidence.mended": "an alarm: a vault file did not open; equal bytes were sealed in its place",
    "hold.placed": "a hold keeps a case's evidence, all of it alike",
    "hold.extended": "a hold was made to hold longer",
    "hold.released": "a hold was released by a person",
    "custody.proposed": "a person asks for something that a second person must approve",
    "custody.approved": "a second person approved it",
    "custody.rejected": "a person rejected it",
    "custody.revoked": "a person took it back, approved or not: nothing is done by it any more",
    "case.confirmed": "a reviewer confirmed the case",
    "case.dismissed": "a reviewer dismissed the case, and effects are taken back",
    "case.reported": "a reviewer marked the case as reported",
    "case.appealed": "the account's owner objects, and a person decides again",
    "case.upheld": "a reviewer upheld the confirmation on appeal",
    "case.overturned": "a reviewer overturned the confirmation, and effects are taken back",
    "account.actioned": "an account was locked or suspended: an account action began",
    "report.decided": "an account action's report decision has a new version, which holds",
    "report.escalated": "an account action's report is undecided beyond its deadline",
    "effect.delivered": "the platform confirmed the effect",
    "effect.dead": "the platform refused the effect for good: a person has to look",
    "bank.imported": "entries were added to a hash bank",
    "bank.import_started": "a large file began to be read into a hash bank: it acts when whole",
    "bank.withdrawn": "a hash bank was removed whole",
    "bank.created": "a hash bank was made, still empty",
    "bank.changed": "a hash bank's settings were changed",
    "bank.held": "an update of a hash bank waits for a person: it would match harmless traffic",
    "bank.released": "a person let a held update act",
    "bank.rejected": "a person withdrew a held update",
    "bank.entry_added": "hashes of one picture or video were added to a hash bank",
    "bank.entry_changed": "an entry's state, opinion or note was changed",
    "bank.entry_withdrawn": "an entry was taken back and its hash erased",
    "bank.exported": "a hash bank's hashes were written out in clear",
    "exchange.configured": "an exchange was set up, changed or switched",
    "exchange.removed": "an exchange was removed",
    "exchange.fetched": "a page of an exchange was taken in, and how far fetching came",
    "exchange.voted": "an opinion was sent to an exchange, or refused by it",
    "hunt.asked": "what is stored will be searched for what is new on a list",
    "hunt.found": "a step of a hunt found earlier occurrences; each has a decision or none",
    "hunt.ended": "a hunt searched the whole window",
    "hunt.cancelled": "a person ended a hunt, or withdrew its lexicon; what it found stays found",
    "media.screened": "the platform asked about a file before showing it",
    "token.made": "an API token was made, with these scopes",
    "token.revoked": "an API token was revoked",
    "test.reset": "a test hook emptied the hash banks and exchanges",
    "keys.rotated": "a fresh master key wraps what is sealed from now on",
    "keys.rewrapped": "older things were wrapped again under the newest master key",
    "keys.retired": "a master key that nothing needed was taken out for good",
    "lexicon.proposed": "a change of a lexicon waits for a second person",
    "lexicon.rejected": "a person rejected a proposed change, and its terms were forgotten",
    "lexicon.imported": "terms were added to a lexicon, by two people or by one alone",
    "lexicon.withdrawn": "a lexicon was removed whole, by two people or by one alone",
    "lexicon.exported": "a lexicon's terms, or those of a proposed change, were written in clear",
    "suggestion.exported": "words that may be terms were written in clear",
    "suggestion.proposed": "suggested words were proposed as terms, to a second person",
    "suggestion.declined": "suggested words were declined, and are not suggested again",
    "offer.activated": "other weights of the offer detector came into force",
    "policy.activated": "this policy judges from now on",
    "tip.open_requested": "the CyberTipline is about to be asked for a report",
    "tip.opened": "the CyberTipline gave a report id",
    "tip.upload_requested": "a file is about to be uploaded",
    "tip.file_uploaded": "the CyberTipline holds the file",
    "tip.description_requested": "a file's details are about to be filed",
    "tip.file_described": "the CyberTipline holds the file's details",
    "tip.finish_requested": "the report is about to be finished",
    "tip.retried": "a person ordered a refused tip to be filed again",
    "tip.abandoned": "a person gave a refused tip up for good: no retry files it",
    "tip.denied": "NCMEC said that it never had a report: it is asked once more, then filed anew",
    "tip.found": "NCMEC told a person that it has a report whose answer was lost: the tip is filed",
    "tip.filed": "the report is filed, and its receipt kept",
    "tip.retraction_requested": "an unfinished report is about to be retracted",
    "tip.started_over": "the tip is filed anew in another report",
    "tip.postponed": "filing failed for now and is tried again",
    "tip.packing_requested": "a package with the report is about to be written",
    "tip.paused": "nothing of it is open any more: it waits for the end of an appeal",
    "tip.withdrawn": "not filed, or about to be retracted: a case was overturned or appealed",
    "tip.ordered": "a person ordered the tip of a confirmed case that had none",
    "tip.bundled": "another case of the account joined a tip that still waits",
    "tip.corrected": "a person corrected fields of a tip before it was filed",
    "tip.supplemented": "a further report about a reported case was drafted",
    "tip.set_aside": "a tip cannot be read: tried every hour, or left as filed",
    "tip.line_noted": "where older tips were filed was not kept: the line of now was noted",
    "tip.overdue": "a tip was not filed by its deadline",
    "tip.refused": "filing failed for good: a person has to look",
    "statement.sent": "the public database holds these statements of reasons",
    "statement.refused": "the public database refuses a statement: a person has to look",
    "statement.retried": "a person ordered a refused statement to be sent again",
    "record.settled": "a person settled that the record is not what was known of it; it goes on",
    "record.disclosed": "a withheld part of an entry was disclosed, for the purpose given",
}

#: What an auditor sees of an entry's detail, besides place, time, action and policy version: the
#: counts, states and codes by which figures are recounted. Everything else enters the chain as a
#: salted commitment, so that it can be withheld. What is named here can never be withheld again.
DISCLOSED: Mapping[str, frozenset[str]] = {
    "account.actioned": frozenset({"account_action", "month"}),
    "report.decided": frozenset({"account_action", "month", "state", "reason"}),
    "events.processed": frozenset({"events"}),
    "events.quarantined": frozenset({"lines"}),
    "decision.made": frozenset({"category", "effects"}),
    "evidence.sealed": frozenset({"complete"}),
    "record.settled": frozenset({"lost_from", "lost_to", "set_aside"}),
    "statement.sent": frozenset({"statements"}),
    "statement.refused": frozenset({"attempts"}),
    "evidence.destroyed": frozenset({"kind", "due", "ordered"}),
    "effect.delivered": frozenset({"kind", "attempts"}),
    "effect.dead": frozenset({"kind", "attempts"}),
    **{
        f"case.{state}": frozenset({"effects"})
        for state in ("confirmed", "dismissed", "reported", "appealed", "upheld", "overturned")
    },
}


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One step as its author states it, before the chain gives it a place.

    Attributes:
        actor: "nightlight" for automation, otherwise the person or token that acted.
        action: what was done, from the past-tense list in ``docs/reference/audit-actions.md``.
        subject: the id of what it was done to.
        reason: why, in words; "" only for automatic steps whose detail says it.
        detail: ids, counts and digests; never content, hashes of media, terms or personal data.
    """

    actor: str
    action: str
    subject: str
    reason: str = ""
    policy_version: str = ""
    detail: Mapping[str, str | int | float | bool | list[str]] = {}


class ChainedEntry(Struct, frozen=True, kw_only=True):
    """An audit entry in its place: ``hash`` covers everything else, ``previous`` the one before."""

    seq: int
    at: datetime
    entry: AuditEntry
    previous: str
    hash: str
