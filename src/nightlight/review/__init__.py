"""Cases: opened by decisions, decided by people, open to appeal."""
