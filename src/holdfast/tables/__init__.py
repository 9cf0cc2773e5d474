"""Tables out of one engine into another: which, under what names, and every value exactly."""
