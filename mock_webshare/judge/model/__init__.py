"""What the judge works on: options, pages, findings, and the context of a rule."""
