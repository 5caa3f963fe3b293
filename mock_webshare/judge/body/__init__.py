"""The body of a response: strict JSON, its schema, and lines of findings."""
