"""Fuzz runs: deliveries broken by chance, for minutes or hours, each from a seed that repeats it.

`scripts/fuzz` runs it. What is fuzzed is a target (`targets.py`); how data is broken is in
`mutations.py`; `run.py` watches a process of its own, so that a crash or a hang is a finding too.
"""
