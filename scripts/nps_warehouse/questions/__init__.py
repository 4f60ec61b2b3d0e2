"""The questions people ask first: an analysis each, and its answer in one sentence."""
