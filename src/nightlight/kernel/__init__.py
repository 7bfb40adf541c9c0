"""Arrays in, arrays out: the fast inner loops, which know no Nightlight type."""
