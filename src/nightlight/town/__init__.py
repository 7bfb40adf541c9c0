"""Town: a generated platform on which everything is invented and every answer is known.

Its words are nonsense, its pictures are drawn, its people are numbers. It exists so that
Nightlight can be shown, measured and broken without harm to anyone.
"""

from nightlight.town.plan import TownPlan
from nightlight.town.town import Town, build_town
from nightlight.town.truth import AccountTruth, MediaTruth, PostTruth, TownTruth

__all__ = [
    "AccountTruth",
    "MediaTruth",
    "PostTruth",
    "Town",
    "TownPlan",
    "TownTruth",
    "build_town",
]
