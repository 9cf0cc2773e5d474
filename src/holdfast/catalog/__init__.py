"""The catalog: what Holdfast knows, as tables and dictionary views in the sys tenant's own database."""
