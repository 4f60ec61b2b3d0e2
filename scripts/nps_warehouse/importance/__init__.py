"""Which drivers explain the answers: shares of variance among correlated drivers."""
