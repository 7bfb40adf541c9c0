"""Event and context become signals; pure functions of their arguments."""
