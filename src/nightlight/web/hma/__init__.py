"""The REST interface of Meta's hasher-matcher-actioner (HMA), for its clients to keep.

Paths, parameters, shapes, status codes and messages are theirs; what answers is Nightlight. What
it does otherwise, on purpose, stands in ``docs/operations/hma.md``.
"""
