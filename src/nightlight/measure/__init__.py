"""Counts, scorecards and figures, each recountable from what is stored."""
