"""Partners as separate processes, with faults on request: nothing here reaches a real one."""
