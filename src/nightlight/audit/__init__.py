"""The tamper-evident record: a hash chain, and the rule that nothing commits without an entry."""
