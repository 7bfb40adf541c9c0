"""Lets atheris look for a text that breaks the normaliser: ``python -m tests.fuzz.normaliser``.

Takes libFuzzer's arguments, such as ``-max_total_time=600`` and a folder of texts to begin with.
"""

import sys

import atheris

with atheris.instrument_imports(include=["nightlight.detect"]):
    from tests.fuzz.texts import check, check_length

#: One text in so many is looked at repeated, too: it takes a hundred times as long.
_LENGTH_EVERY = 32


def look(data: bytes) -> None:
    """Check the text that these bytes are read as."""
    provided = atheris.FuzzedDataProvider(data)
    number, length = provided.ConsumeIntInRange(0, 255), provided.ConsumeIntInRange(0, 300)
    text = provided.ConsumeUnicode(length)
    check(text)
    if number % _LENGTH_EVERY == 1:
        check_length(text)


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
