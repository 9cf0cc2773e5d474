"""Proving that what lies in the destinations is what was written."""
