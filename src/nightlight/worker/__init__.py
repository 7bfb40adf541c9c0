"""The background work of ``serve``: judge, deliver, file, anchor, and say that it is alive."""
