"""Open cases of detractors, handed to the system that gives them to people."""
