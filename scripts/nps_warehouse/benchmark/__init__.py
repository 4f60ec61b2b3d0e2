"""The project's build measured beside one hand-written script that makes the same marts."""
