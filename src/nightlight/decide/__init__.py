"""Signals and a policy become one decision with reasons; pure functions of their arguments."""
