"""The body of one response: strict JSON, its schema, and the lines of its findings."""
