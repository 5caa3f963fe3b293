"""The contract as data: endpoints, rules, schemas and texts of the service."""
