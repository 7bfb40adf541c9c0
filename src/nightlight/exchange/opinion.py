"""What the members of an exchange say of an entry, as one opinion."""

from collections.abc import Mapping

from nightlight.model.bank import Opinion


def agreed(claims: Mapping[str, Opinion], *, own: str = "") -> Opinion:
    """Return the opinion that holds, from each member's claim by the member's id.

    This platform's own claim, under the id ``own``, outranks the others'. A negative claim against
    a positive one makes the entry disputed, not negative: one member cannot switch off for all what
    another found. A listed entry of which nobody claims anything is positive.
    """
    if own and own in claims:
        return claims[own]
    voiced = set(claims.values())
    if Opinion.DISPUTED in voiced or voiced >= {Opinion.POSITIVE, Opinion.NEGATIVE}:
        return Opinion.DISPUTED
    return Opinion.NEGATIVE if voiced == {Opinion.NEGATIVE} else Opinion.POSITIVE
