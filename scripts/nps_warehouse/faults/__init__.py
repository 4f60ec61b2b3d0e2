"""Faults on purpose: the nightly run is killed, starved of disk and fed with moving files.

What readers see meanwhile and what the next run makes of it is compared with an undisturbed
pipeline and with plain counts of what was delivered. See docs/faults.md.
"""
