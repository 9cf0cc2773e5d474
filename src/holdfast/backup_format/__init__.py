"""The bytes Holdfast promises: versioned, described in docs/format.md, readable for ever."""
