"""The nouns, in the order in which they flow; frozen values without I/O or a clock."""
