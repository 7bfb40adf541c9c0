"""What a sandbox's child does with a file: looks at what it is, and hashes it as that."""

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

import av
import numpy as np
from av.video.frame import VideoFrame
from numba.core import caching
from PIL import Image

from nightlight.adapters.file_kind import HEAD_BYTES, is_video_or_sound
from nightlight.adapters.image_hasher import hash_bytes
from nightlight.adapters.sandbox_messages import Job
from nightlight.adapters.video_hasher import UnfinishedVideo, VideoLimits, hash_video
from nightlight.errors import InvalidInput
from nightlight.kernel.hamming import within
from nightlight.kernel.views import bank_views, picture_views
from nightlight.model.media import MediaHashes, Scan, ScanState, VideoHashes

#: What is left of a file's time when a video is given up, so that what was read is answered.
_ANSWERING_SHARE = 0.1
_WARM_UP_SIDE = 160


def decode(file: BinaryIO, job: Job) -> Scan:
    """Return the outcome; its exact hashes are the parent's to fill in."""
    if is_video_or_sound(file.read(HEAD_BYTES)):
        return _video(file, job)
    limits = job.limits
    if job.size > limits.max_bytes:
        return _failed(f"the file has more than {limits.max_bytes} bytes, too many to decode")
    file.seek(0)
    views = bank_views if job.for_bank else picture_views
    return hash_bytes(
        file.read(),
        limits=limits,
        is_fast=job.is_fast,
        views=views,
        exact=MediaHashes(),
        brief_s=job.brief_s,
    )


def warm_up() -> None:
    """Return once everything is loaded, and compiled, that decoding needs."""
    Image.init()
    for kind, mode in (("PNG", "RGB"), ("JPEG", "RGB"), ("GIF", "P")):
        file = BytesIO()
        _gradient().convert(mode).save(file, kind)
        for views in (picture_views, bank_views):
            hash_bytes(file.getvalue(), views=views)
    hash_video(_film())
    # What keeps plain layouts out of banks: a gradient has no view that gets so far.
    within(np.zeros((1, 4), np.uint64), np.zeros((1, 4), np.uint64), 0)
    keep_compiled_code_to_itself()


def keep_compiled_code_to_itself() -> None:
    """Let what is compiled later, for a rare kind of picture, stay in this process.

    Behind its walls it may write nothing, and read little: the compiler stumbles over both.
    """
    load: Callable[..., object] = caching.Cache.load_overload

    def load_if_allowed(cache: caching.Cache, signature: object, context: object) -> object:
        try:
            return load(cache, signature, context)
        except OSError:
            return None

    caching.Cache.load_overload = load_if_allowed  # type: ignore[method-assign]  # on purpose
    caching.Cache.save_overload = _forget  # type: ignore[method-assign]  # on purpose


def _gradient() -> Image.Image:
    return Image.linear_gradient("L").resize((_WARM_UP_SIDE, _WARM_UP_SIDE))


def _film() -> BinaryIO:
    file = BytesIO()
    with av.open(file, "w", format="matroska") as film:
        stream = film.add_stream("mpeg4", rate=10)
        stream.width = stream.height = _WARM_UP_SIDE
        stream.pix_fmt = "yuv420p"
        for turn in range(3):
            frame = VideoFrame.from_ndarray(
                np.asarray(_gradient().rotate(90 * turn).convert("RGB"))
            )
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return BytesIO(file.getvalue())


def _forget(_cache: caching.Cache, _signature: object, _compiled: object) -> None:
    """Store nothing."""


def _video(file: BinaryIO, job: Job) -> Scan:
    limits = VideoLimits(max_wall_s=job.wall_s * (1 - _ANSWERING_SHARE))
    try:
        return Scan(state=ScanState.SCANNED, hashes=_hashes(hash_video(file, limits=limits)))
    except UnfinishedVideo as error:
        return _failed(str(error), _hashes(error.partial))
    except InvalidInput as error:
        return _failed(str(error))


def _hashes(video: VideoHashes) -> MediaHashes:
    """Return the hashes; a file with sound only has none."""
    return MediaHashes(video=video if video.frames else None)


def _failed(reason: str, hashes: MediaHashes | None = None) -> Scan:
    return Scan(state=ScanState.FAILED, hashes=hashes or MediaHashes(), reason=reason)
