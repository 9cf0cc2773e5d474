"""Destinations: where objects are put, whole or not at all. Nothing here knows what an object means."""
