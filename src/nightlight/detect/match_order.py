"""In which order matches are told, and that each known picture is told once."""

from collections.abc import Sequence

from nightlight.detect.vetoes import EXACT_KINDS
from nightlight.model.bank import BankMatch, HashKind


def closest_first(match: BankMatch) -> tuple[bool, int, bool, str, str, int]:
    """Return the sort key of matches: same bytes, distance, classification, bank, arrival."""
    return (
        match.kind not in EXACT_KINDS,
        match.distance_bits,
        not match.classification,
        match.classification,
        match.bank,
        match.number,
    )


def plainest(match: BankMatch) -> tuple[int, bool, bool]:
    """Return the sort key of views of one picture: of equally close ones the plainest is told."""
    return (match.distance_bits, bool(match.view), bool(match.bank_view))


def picture_of(match: BankMatch) -> tuple[str, int]:
    """Return what is the same for all entries of one known picture."""
    return (match.bank, match.content or -match.number)


def told_once(matches: Sequence[BankMatch]) -> list[BankMatch]:
    """Return each known picture once, by the frame that is closest to it."""
    best: dict[tuple[str, int], BankMatch] = {}
    others: list[BankMatch] = []
    for one in matches:
        if one.kind is not HashKind.PDQ:
            others.append(one)
        elif picture_of(one) not in best or plainest(one) < plainest(best[picture_of(one)]):
            best[picture_of(one)] = one
    return [*others, *best.values()]
