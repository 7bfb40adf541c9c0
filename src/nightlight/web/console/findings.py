"""A signal's evidence in words: ids, distances and counts; never a term, a hash or content."""

from collections.abc import Mapping

from msgspec.structs import replace

from nightlight.detect.hunting import HUNT
from nightlight.model.signal import Fact, Signal
from nightlight.web.console.words import duration, percent

_NEUTRAL: tuple[Fact, ...] = (False, 0, 0.0, "")
_MOST_SHOWN = 12
_NEARLY_SURE = 0.99


def explain(signal: Signal) -> list[str]:
    """Return sentences that say what the detector found."""
    hunt = signal.evidence.get(HUNT)
    if hunt:
        known = {name: value for name, value in signal.evidence.items() if name != HUNT}
        later = f"Found later, by {hunt}, when a list grew: it had been there until then."
        return [*explain(replace(signal, evidence=known)), later]
    match signal.detector:
        case "hash_match":
            return _hash_match(signal)
        case "term_match":
            return _term_match(signal)
        case "offer" | "possible_offer":
            return _offer(signal)
        case "delete_repost":
            return _delete_repost(signal)
        case "returning":
            return _returning(signal)
        case "scan_health":
            return _scan_health(signal)
        case "user_report":
            reason = signal.facts.get("user_report_reason") or "no reason given"
            return [f"Somebody on the platform reported it ({reason})."]
        case _:
            return _anything(signal)


def _hash_match(signal: Signal) -> list[str]:
    columns = ("kinds", "banks", "bank_entries", "distances_bits", "views", "media")
    rows = zip(*(_listed(signal, name) for name in columns), strict=False)
    said: list[str] = []
    for kind, bank, entry, distance, view, media in rows:
        near = f"{distance} bits from" if kind in ("pdq", "vpdq") else "equal to"
        seen = "" if view == "as it is" else f" (view: {view})"
        said.append(f"Media {media}: {kind.upper()} {near} entry {entry} of bank {bank}{seen}.")
    classification = signal.facts.get("hash_classification")
    if classification:
        said.append(f"The bank classifies it as {classification}.")
    if signal.facts.get("hash_disputed"):
        said.append("Every matching entry is disputed by somebody who looked at it.")
    return _short(said) or _anything(signal)


def _term_match(signal: Signal) -> list[str]:
    facts = signal.facts
    where = facts.get("term_in") or "text"
    terms = _count(facts.get("term_count"), "listed term")
    cues = _count(facts.get("cue_count"), "selling word")
    exclusions = _count(facts.get("exclusion_count"), "word")
    said = [f"{terms} in the {where}, with {cues} and {exclusions} of those who write about it."]
    if facts.get("term_disguised"):
        said.append("Spelled so that plain matching misses it.")
    for name, word in (("terms", "Lexicon entries"), ("views", "Seen in the views")):
        listed = _short(_listed(signal, name))
        if listed:
            said.append(f"{word}: {', '.join(listed)}.")
    return said


def _offer(signal: Signal) -> list[str]:
    score = float(signal.facts.get("offer_score", 0.0))
    # Nothing is certain that was fitted.
    likely = "more than 99 %" if score > _NEARLY_SURE else percent(score)
    what = "An offer" if signal.facts.get("offer") else "Possibly an offer"
    said = [f"{what}: {likely} likely, by what stands in the text and around its terms."]
    why = _short(_listed(signal, "why"))
    if why:
        said.append(f"What counts most: {', '.join(why)}.")
    return said


def _delete_repost(signal: Signal) -> list[str]:
    facts = signal.facts
    posts = _count(facts.get("repost_count"), "earlier post")
    named = ", ".join(_short(_listed(signal, "deleted_posts")))
    lived, gap = (duration(float(facts.get(f"repost_{name}_s", 0))) for name in ("lived", "gap"))
    said = [
        f"{posts} deleted by the author and posted again nearly the same: {named}.",
        f"The shortest-lived stayed {lived}; the soonest came again {gap} after its deletion.",
    ]
    alike = signal.evidence.get("similarity")
    if isinstance(alike, float):
        said.append(f"The texts are {percent(alike)} alike.")
    return said


def _returning(signal: Signal) -> list[str]:
    earlier = _short(_listed(signal, "predecessors"))
    pairs = zip(_listed(signal, "shared"), _listed(signal, "holders"), strict=False)
    said = [f"It may continue {', '.join(earlier)}, suspended or confirmed before."]
    said += [
        f"Both show the same {kind.replace('_', ' ')}; {holders} accounts do."
        for kind, holders in pairs
    ]
    return _short(said)


def _scan_health(signal: Signal) -> list[str]:
    pairs = zip(_listed(signal, "media"), _listed(signal, "reasons"), strict=False)
    return _short([f"Media {media} was not scanned: {reason}." for media, reason in pairs])


def _anything(signal: Signal) -> list[str]:
    """Return facts and evidence by name, for detectors that have no sentences here."""
    known: Mapping[str, object] = {
        **{name: value for name, value in signal.facts.items() if value not in _NEUTRAL},
        **signal.evidence,
    }
    return _short([f"{_words(name)}: {_value(value)}" for name, value in known.items()])


def _listed(signal: Signal, name: str) -> list[str]:
    value = signal.evidence.get(name)
    return value if isinstance(value, list) else []


def _count(value: Fact | None, noun: str) -> str:
    amount = int(value or 0)
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _value(value: object) -> str:
    if value is True:
        return "yes"
    if isinstance(value, list):
        return ", ".join(_short([str(one) for one in value]))
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _short(said: list[str]) -> list[str]:
    more = len(said) - _MOST_SHOWN
    return said if more <= 0 else [*said[:_MOST_SHOWN], f"and {more} more"]
