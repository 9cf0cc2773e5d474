"""Whether an estate of tenants is protected: facts in, findings with a severity out. Pure, for every door that shows it."""
