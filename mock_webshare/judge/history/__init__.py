"""Rules about several exchanges: rows in time, walks, page sizes."""
