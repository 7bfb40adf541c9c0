"""An answer sheet: what is true of a stream, so that findings can be scored against it."""

import msgspec
from msgspec import Struct

from nightlight.errors import InvalidInput


class TruePost(Struct, frozen=True, kw_only=True):
    """What a post is; posts that the sheet does not name are ordinary."""

    kind: str
    terms: bool = False
    disguise: str = ""
    lookalike: str = ""
    reposts: str = ""
    act: bool = False


class TrueMedia(Struct, frozen=True, kw_only=True):
    """What a file is; files that the sheet does not name are ordinary."""

    known: bool
    edit: str = ""
    act: bool = False


class Truth(Struct, frozen=True, kw_only=True):
    """The answer sheet; ``bank``, ``lexicon`` and ``media`` name files beside it, or are ""."""

    version: int
    bank: str = ""
    lexicon: str = ""
    media: str = ""
    posts: dict[str, TruePost] = {}
    media_files: dict[str, TrueMedia] = {}


def parse_truth(body: bytes) -> Truth:
    """Return the answer sheet in a JSON file.

    Raises:
        InvalidInput: it is not one, or is of a version that this program does not know.
    """
    try:
        truth = msgspec.json.decode(body, type=Truth)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(f"not an answer sheet: {error}", field="truth") from error
    if truth.version != 1:
        raise InvalidInput(f"version {truth.version} is not known", field="truth.version")
    return truth
