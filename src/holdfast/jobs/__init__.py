"""The desk: every statement that is Holdfast's ends here, as do the workers that carry it out."""
