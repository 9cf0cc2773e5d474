"""Retention: what may go, and how it goes. `verdict`, `reach` and `plan` think, `facts` reads, `run` removes."""
