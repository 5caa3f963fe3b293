"""Rules across several exchanges: rows in time, walks through pages, the size of pages."""
