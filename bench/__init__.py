"""Measurements, each runnable as `python -m bench.<name>`; every figure comes from one run on this machine."""
