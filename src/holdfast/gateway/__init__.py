"""The door: MySQL clients come in here, are led to their tenant's engine, and meet the desk for Holdfast's statements."""
