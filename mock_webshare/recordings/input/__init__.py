"""Files and streams: how the bytes of a recording are reached."""
