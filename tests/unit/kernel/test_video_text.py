import json

import numpy as np
import pytest
from threatexchange.signal_type.pdq.signal import PdqSignal

from nightlight.kernel.hamming import pack
from nightlight.kernel.video import Frames
from nightlight.kernel.video_text import read_vpdq, write_vpdq_lines, write_vpdq_signal

HEXES = ["0" * 63 + "1", "ab" * 32, "f" * 64]


def drawn_frames() -> Frames:
    return Frames(
        pack(HEXES),
        np.array([100, 0, 51], np.uint8),
        np.array([0, 33, 61_500], np.int64),
        np.array([False, True, False]),
    )


def test_lines_are_those_of_the_vpdq_tool() -> None:
    assert write_vpdq_lines(drawn_frames()) == (f"0,100,{HEXES[0]},0.000\n1,51,{HEXES[2]},61.500\n")


def test_signal_is_that_of_threatexchange() -> None:
    listed = json.loads(write_vpdq_signal(drawn_frames()))
    assert listed == [f"{HEXES[0]},100,0.000", f"{HEXES[2]},51,61.500"]


@pytest.mark.parametrize("write", [write_vpdq_lines, write_vpdq_signal])
def test_whole_frames_come_back(write: object) -> None:
    assert callable(write)
    back = read_vpdq(write(drawn_frames()))
    whole = drawn_frames().taken(~drawn_frames().is_part)
    assert back.rows.tolist() == whole.rows.tolist()
    assert back.quality.tolist() == [100, 51]
    assert back.times_ms.tolist() == [0, 61_500]


def test_library_examples_are_read() -> None:
    signal = json.dumps([f"{one},100,{at:.3f}" for at, one in enumerate(PdqSignal.get_examples())])
    assert len(read_vpdq(signal)) == len(PdqSignal.get_examples())


def test_frames_out_of_order_and_in_capitals_are_read() -> None:
    text = f"1,60,{HEXES[1].upper()},2.0\n\n0,70,{HEXES[0]},1.0\n"
    frames = read_vpdq(text)
    assert frames.times_ms.tolist() == [1000, 2000]
    assert frames.rows.tolist() == pack(HEXES[:2]).tolist()


@pytest.mark.parametrize("text", ["", "[]", "\n"])
def test_nothing_is_no_frames(text: str) -> None:
    assert len(read_vpdq(text)) == 0


@pytest.mark.parametrize(
    "text",
    [
        "zorbleflux",
        f"{HEXES[0]},100",
        f"0,101,{HEXES[0]},0.0",
        f"0,-1,{HEXES[0]},0.0",
        f"0,100,{HEXES[0]},-1",
        f"0,100,{HEXES[0]},nan",
        f"0,100,{HEXES[0]},1e12",
        f"0,100,{HEXES[0][:-1]},0.0",
        "[1]",
        '{"0": 1}',
        "[",
    ],
)
def test_text_in_another_form_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="vPDQ") as caught:
        read_vpdq(text)
    assert HEXES[0][:63] not in str(caught.value)
