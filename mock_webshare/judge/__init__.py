"""The judge: does recorded traffic keep the contract?

The judge and the mocked service never import each other.
"""
