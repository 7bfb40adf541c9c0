"""Measurements of Nightlight, side by side with peers; nothing in here is part of the product."""
