"""Seals media and content on the way, and opens them again for a stated purpose."""
