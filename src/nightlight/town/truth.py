"""What is true of the town: the answers that a system under test never sees."""

from typing import Literal, TypeAlias

from msgspec import Struct

from nightlight.town.disguise import Disguise

TRUTH_VERSION = 1

PostKind: TypeAlias = Literal[
    "advert", "repost", "media", "lookalike", "family", "typo_fix", "changed_mind"
]
LookAlike: TypeAlias = Literal[
    "", "reporter", "researcher", "survivor", "helpline", "hobbyist", "quotation"
]
Edit: TypeAlias = Literal[
    "none",
    "recompress",
    "resize",
    "brightness",
    "greyscale",
    "noise",
    "blur",
    "watermark",
    "lookalike_family",
]
Role: TypeAlias = Literal[
    "seller",
    "uploader",
    "returning",
    "engager",
    "reporter",
    "researcher",
    "survivor",
    "helpline",
    "hobbyist",
    "family",
]


class PostTruth(Struct, frozen=True, kw_only=True):
    """What a planted or look-alike post is.

    Attributes:
        terms: carries a code word, in whatever spelling; true of look-alikes too.
        reposts: the deleted post that this one repeats, or "".
        act: a correct system limits it.
    """

    kind: PostKind
    terms: bool = False
    disguise: Disguise = "plain"
    lookalike: LookAlike = ""
    reposts: str = ""
    act: bool = False


class MediaTruth(Struct, frozen=True, kw_only=True):
    """What a planted or look-alike picture is; ``act`` says that a correct system limits it."""

    known: bool
    edit: Edit
    act: bool


class AccountTruth(Struct, frozen=True, kw_only=True):
    """An account's part in the town; ``predecessor`` is whom a returning account was, or ""."""

    role: Role
    predecessor: str = ""


class TownTruth(Struct, frozen=True, kw_only=True):
    """The truth file; what it does not name is ordinary.

    Attributes:
        events: lines in the stream, lines delivered twice counted twice.
        bank, lexicon, media: names beside the truth file, "" where none was written.
        posts, media_files, accounts: by post id, media id and account id.
    """

    version: int
    seed: int
    events: int
    bank: str
    lexicon: str
    media: str
    posts: dict[str, PostTruth]
    media_files: dict[str, MediaTruth]
    accounts: dict[str, AccountTruth]
