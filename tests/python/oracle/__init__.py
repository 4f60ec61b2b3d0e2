"""A second, independent reading of the warehouse's contract, in plain Python.

It reads the raw files and recomputes what the marts and the quality tables must hold, without
SQL and without anything the warehouse itself uses. Tests compare the two. It favours being easy
to check against the contract over being fast.
"""

from .reading import ContractError
from .warehouse import SCORE_MARTS, Warehouse

__all__ = ["SCORE_MARTS", "ContractError", "Warehouse"]
