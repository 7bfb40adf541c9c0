"""Scanning in a sandbox: the same hashes as without, the exact ones whatever happens."""

import hashlib
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from tests.synthetic.pictures import as_file, declared_png, drawn, flat

from nightlight.adapters.image_hasher import hash_bytes
from nightlight.adapters.picture_limits import PictureLimits
from nightlight.adapters.sandbox import Sandbox
from nightlight.adapters.sandbox_hasher import SandboxedHasher
from nightlight.adapters.spool import Spool, SpooledFile
from nightlight.adapters.video_hasher import UnfinishedVideo, hash_video
from nightlight.errors import Unavailable
from nightlight.kernel.views import bank_views, picture_views
from nightlight.model.media import Scan, ScanState

ROOT = Path(__file__).parents[3]
HOSTILE = "tests.fakes.hostile_decoder"
JPEG = as_file(drawn(), "JPEG", quality=90)
ISO_VIDEO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"


@pytest.fixture(scope="module")
def hasher() -> Iterator[SandboxedHasher]:
    made = SandboxedHasher(sandbox=Sandbox(workers=2), remembered=2)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hostile() -> Iterator[SandboxedHasher]:
    """A hasher whose decoder does what the file says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        made = SandboxedHasher(sandbox=Sandbox(decoder=HOSTILE, workers=2, memory_mib=200))
        yield made
        made.close()


def spooled(data: bytes, *, memory_bytes: int) -> SpooledFile:
    with Spool(max_bytes=1 << 30, memory_bytes=memory_bytes) as spool:
        spool.write(data)
        return spool.finish()


def exact(data: bytes) -> tuple[str, str, str]:
    return (
        hashlib.md5(data).hexdigest(),  # noqa: S324  lists hold MD5
        hashlib.sha1(data).hexdigest(),  # noqa: S324  and SHA-1
        hashlib.sha256(data).hexdigest(),
    )


def exact_of(scan: Scan) -> tuple[str, str, str]:
    return scan.hashes.md5, scan.hashes.sha1, scan.hashes.sha256


@pytest.mark.parametrize(
    "make",
    [
        lambda: JPEG,
        lambda: as_file(drawn(2)),
        lambda: as_file(drawn(3), "WEBP", quality=90),
        lambda: as_file(drawn(4), "AVIF", quality=90),
        lambda: as_file(drawn(5), "GIF"),
        lambda: as_file(drawn(6), "TIFF"),
        lambda: as_file(drawn(7), "JPEG2000"),
        lambda: as_file(drawn(8).convert("CMYK"), "JPEG", quality=90),
        lambda: as_file(drawn(1), "GIF", save_all=True, append_images=[drawn(2)], duration=100),
        lambda: as_file(flat()),
        lambda: as_file(Image.new("L", (3, 3))),
        lambda: JPEG[: len(JPEG) // 2],
        lambda: declared_png(60_000, 60_000),
        lambda: b"",
        lambda: b"zorbleflux was here\n",
        lambda: bytes(range(256)) * 4,
    ],
)
def test_sandboxed_scan_is_that_of_the_decoder_alone(
    hasher: SandboxedHasher, make: Callable[[], bytes]
) -> None:
    data = make()
    assert hasher.scan(data) == hash_bytes(data, views=picture_views)


def test_fast_hashing_is_the_sandbox_s_to_do_but_not_for_a_bank() -> None:
    data = as_file(drawn(9, (700, 500)), "JPEG", quality=60)
    with closing(SandboxedHasher(sandbox=Sandbox(workers=1, is_fast=True))) as fast:
        assert fast.scan(data) == hash_bytes(data, is_fast=True, views=picture_views)
        with spooled(data, memory_bytes=1 << 30) as file:
            entering = fast.scan_file(file, for_bank=True)
    assert entering == hash_bytes(data, views=bank_views)


@pytest.mark.parametrize("memory_bytes", [0, 1 << 30], ids=["on disk", "in memory"])
@pytest.mark.parametrize("data", [JPEG, JPEG[:500]], ids=["whole", "cut short"])
def test_file_is_scanned_as_its_bytes_are(
    hasher: SandboxedHasher, data: bytes, memory_bytes: int
) -> None:
    with spooled(data, memory_bytes=memory_bytes) as file:
        assert hasher.scan_file(file) == hash_bytes(data, views=picture_views)


def test_picture_that_enters_a_bank_is_looked_at_as_others_may_change_it(
    hasher: SandboxedHasher,
) -> None:
    data = as_file(drawn(9))
    with spooled(data, memory_bytes=0) as file:
        for_bank = hasher.scan_file(file, for_bank=True)
        asked = hasher.scan_file(file)
    assert for_bank == hash_bytes(data, views=bank_views)
    assert asked == hash_bytes(data, views=picture_views)


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (b"abort", "the decoder crashed on this file"),
        (b"allocate 10000", "decoding needed more than 200 MiB of memory"),
        (b"answer-wrongly pdq", "nothing that makes sense"),
    ],
)
@pytest.mark.parametrize("memory_bytes", [0, 1 << 30], ids=["on disk", "in memory"])
def test_file_that_breaks_the_decoder_fails_with_its_exact_hashes(
    hostile: SandboxedHasher, deed: bytes, reason: str, memory_bytes: int
) -> None:
    with spooled(deed, memory_bytes=memory_bytes) as file:
        found = hostile.scan_file(file)
    assert found.state is ScanState.FAILED
    assert reason in found.reason
    assert exact_of(found) == exact(deed)
    assert found.byte_count == len(deed)
    assert hostile.scan(b"fine").state is ScanState.SCANNED


def test_exact_hashes_are_not_the_decoder_s_to_say(hostile: SandboxedHasher) -> None:
    found = hostile.scan(b"fine and dandy")
    assert found.state is ScanState.SCANNED
    assert exact_of(found) == exact(b"fine and dandy")


def test_file_that_takes_too_long_fails(hostile: SandboxedHasher) -> None:
    impatient = SandboxedHasher(sandbox=hostile.sandbox, wall_s=0.2)
    found = impatient.scan(b"sleep 60")
    assert (found.state, found.reason) == (ScanState.FAILED, "decoding took longer than 0.2 s")
    assert exact_of(found) == exact(b"sleep 60")


def test_video_may_take_longer_the_larger_it_is(hostile: SandboxedHasher) -> None:
    patient = SandboxedHasher(sandbox=hostile.sandbox, wall_s=0.2, video_wall_s_per_mib=1e6)
    assert "crashed" in patient.scan(ISO_VIDEO + b"quibble").reason
    assert patient.scan(b"sleep 1").reason == "decoding took longer than 0.2 s"


def test_without_a_decoder_a_scan_fails_and_says_why() -> None:
    hasher = SandboxedHasher(sandbox=Sandbox(decoder="nightlight.no_such_module"))
    found = hasher.scan(JPEG)
    assert found.state is ScanState.FAILED
    assert "no decoder can be had" in found.reason
    assert exact_of(found) == exact(JPEG)
    hasher.close()


def test_spooled_file_that_was_damaged_meanwhile_fails(
    hasher: SandboxedHasher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> bytes:
        raise Unavailable("a temporary file was changed or cannot be read")

    with spooled(JPEG, memory_bytes=0) as file:
        monkeypatch.setattr(file, "head", damaged)
        found = hasher.scan_file(file)
    assert found.state is ScanState.FAILED
    assert exact_of(found) == exact(JPEG)


def test_repeated_file_is_decoded_once(hasher: SandboxedHasher) -> None:
    data = as_file(drawn(20))
    first = hasher.scan(data)
    assert hasher.scan(data) is first
    with spooled(data, memory_bytes=0) as file:
        assert hasher.scan_file(file) is first


def test_failed_file_is_tried_again(hasher: SandboxedHasher) -> None:
    assert hasher.scan(JPEG[:200]) is not hasher.scan(JPEG[:200])


def test_file_not_asked_for_lately_is_forgotten(hasher: SandboxedHasher) -> None:
    files = [as_file(flat((n, n))) for n in (8, 9, 10)]
    old, kept = hasher.scan(files[0]), hasher.scan(files[1])
    assert hasher.scan(files[0]) is old
    hasher.scan(files[2])
    assert hasher.scan(files[0]) is old
    assert hasher.scan(files[1]) is not kept


def test_limits_of_the_sandbox_hold() -> None:
    for limits in (PictureLimits(max_bytes=10), PictureLimits(max_pixels=10)):
        hasher = SandboxedHasher(sandbox=Sandbox(workers=1, limits=limits))
        assert "too many to decode" in hasher.scan(JPEG).reason
        with spooled(JPEG, memory_bytes=0) as file:
            assert "too many to decode" in hasher.scan_file(file).reason
        hasher.close()


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_no_bytes_raise_or_hang(hasher: SandboxedHasher, data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        body = data.draw(st.binary(max_size=2000))
    else:
        kind = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF"]))
        changed = bytearray(as_file(drawn(3, (48, 48)), kind))
        for _ in range(data.draw(st.integers(1, 8))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        body = bytes(changed[: data.draw(st.integers(0, len(changed)))])
    found = hasher.scan(body)
    assert found.state in {ScanState.SCANNED, ScanState.FAILED}
    assert exact_of(found) == exact(body)


def test_files_are_scanned_from_many_threads_at_once(hasher: SandboxedHasher) -> None:
    files = [as_file(drawn(n, (64, 64))) for n in range(40)]
    with ThreadPoolExecutor(8) as others:
        found = list(others.map(hasher.scan, files))
    assert [exact_of(one) for one in found] == [exact(one) for one in files]
    assert all(one.hashes.pdq for one in found)


def test_picture_that_takes_too_much_memory_fails_with_a_reason() -> None:
    hasher = SandboxedHasher(sandbox=Sandbox(workers=1, memory_mib=150))
    found = hasher.scan(as_file(flat((8000, 5000))))
    assert found.state is ScanState.FAILED
    assert "memory" in found.reason
    assert hasher.scan(JPEG).state is ScanState.SCANNED
    hasher.close()


def film(colours: list[str]) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="avi") as made:
        stream = made.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number, colour in enumerate(colours):
            picture = drawn(number, (160, 120))
            picture.paste(colour, (10, 10, 40, 40))
            made.mux(stream.encode(VideoFrame.from_ndarray(np.asarray(picture))))
        made.mux(stream.encode(None))
    return file.getvalue()


FILM = film(["red"] * 12)


@pytest.mark.parametrize("memory_bytes", [0, 1 << 30], ids=["on disk", "in memory"])
def test_video_is_hashed_frame_by_frame(hasher: SandboxedHasher, memory_bytes: int) -> None:
    with spooled(FILM, memory_bytes=memory_bytes) as file:
        found = hasher.scan_file(file)
    assert (found.state, found.reason, found.hashes.pdq) == (ScanState.SCANNED, "", "")
    assert found.hashes.video == hash_video(BytesIO(FILM))
    assert exact_of(found) == exact(FILM)


def test_video_may_be_larger_than_a_picture() -> None:
    limits = PictureLimits(max_bytes=len(FILM) // 2)
    hasher = SandboxedHasher(sandbox=Sandbox(workers=1, limits=limits))
    assert hasher.scan(FILM).hashes.video is not None
    hasher.close()


def test_video_that_cannot_be_read_to_its_end_fails_and_keeps_what_was_read(
    hasher: SandboxedHasher,
) -> None:
    with pytest.raises(UnfinishedVideo) as caught:
        hash_video(BytesIO(FILM[: len(FILM) // 2]))
    found = hasher.scan(FILM[: len(FILM) // 2])
    assert (found.state, found.reason) == (ScanState.FAILED, str(caught.value))
    assert found.hashes.video == (caught.value.partial if caught.value.partial.frames else None)
    assert exact_of(found) == exact(FILM[: len(FILM) // 2])


def test_file_that_only_begins_like_a_video_fails(hasher: SandboxedHasher) -> None:
    found = hasher.scan(ISO_VIDEO + bytes(500))
    assert (found.state, found.hashes.video) == (ScanState.FAILED, None)


def jpeg_like_quicktime() -> bytes:
    """A picture whose comment segment, 28015 bytes long, reads as a box of QuickTime."""
    return JPEG[:2] + b"\xff\xfemoov" + bytes(0x6D6F - 4) + JPEG[2:]


def gif_like_a_transport_stream() -> bytes:
    """A picture whose palette has the mark of a packet where packets begin."""
    many_colours = drawn(5).convert("RGB").filter(ImageFilter.GaussianBlur(4)).quantize(256)
    data = bytearray(as_file(many_colours, "GIF", optimize=False))
    assert data[10] & 0x87 == 0x87, "palette of 256 colours, which is 768 bytes long"
    data[188] = data[376] = 0x47
    return bytes(data)


@pytest.mark.parametrize("make", [jpeg_like_quicktime, gif_like_a_transport_stream])
def test_picture_that_may_be_read_as_a_video_is_hashed_as_a_picture(
    hasher: SandboxedHasher, make: Callable[[], bytes]
) -> None:
    found = hasher.scan(make())
    assert (found.state, len(found.hashes.pdq), found.hashes.video) == (ScanState.SCANNED, 64, None)
    assert found.hashes.views


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff\xfemoov" + bytes(60_000), b"\x00\x00\x00\x08moov" + bytes(60_000)],
    ids=["picture without any", "video without any"],
)
def test_file_that_shows_and_sounds_nothing_fails(hasher: SandboxedHasher, data: bytes) -> None:
    found = hasher.scan(data)
    assert found.state is ScanState.FAILED
    assert found.reason


def test_sound_without_pictures_is_scanned(hasher: SandboxedHasher) -> None:
    file = BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    found = hasher.scan(file.getvalue())
    assert (found.state, found.hashes.video, found.reason) == (ScanState.SCANNED, None, "")


def test_code_that_was_not_compiled_before_the_walls_is_compiled_within(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    hasher = SandboxedHasher(sandbox=Sandbox(decoder="tests.fakes.compiling_decoder", workers=1))
    assert hasher.scan(b"any").reason == "2 and 2 is 4"
    hasher.close()


def test_nothing_is_left_to_compile_for_a_picture_that_enters_a_bank() -> None:
    done = subprocess.run([sys.executable, "-c", _LATE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["some", "views"]


#: Warms up as a decoder does before its walls, and prints what has to be compiled or loaded later.
_LATE = """
from io import BytesIO
from numba.core import caching
from PIL import Image, ImageFilter
from nightlight.adapters import sandbox_decoder
from nightlight.adapters.image_hasher import hash_bytes
from nightlight.kernel.views import bank_views
sandbox_decoder.warm_up()
caching.Cache.load_overload = lambda cache, signature, _: print("late", cache, signature)
file = BytesIO()
Image.effect_mandelbrot((160, 160), (-2, -1.5, 1, 1.5), 100).save(file, "PNG")
print("some" if hash_bytes(file.getvalue(), views=bank_views).hashes.views else "no", "views")
"""
