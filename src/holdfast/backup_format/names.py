"""The name of every object in a destination, and back. OceanBase's names where it has one."""
