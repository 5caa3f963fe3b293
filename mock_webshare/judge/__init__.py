"""The judge: does recorded traffic keep the contract? It and the mocked service never import each other."""
