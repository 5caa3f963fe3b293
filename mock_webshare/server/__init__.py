"""The aiohttp server around the service."""
