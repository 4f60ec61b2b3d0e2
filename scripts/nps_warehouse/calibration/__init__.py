"""How often the intervals hold the truth and the verdicts are false alarms."""
