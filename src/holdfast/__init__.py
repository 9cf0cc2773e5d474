"""Holdfast: physical backup, log archiving and point-in-time restore for seekdb, in OceanBase's own SQL."""

__version__ = "0.1.0"
