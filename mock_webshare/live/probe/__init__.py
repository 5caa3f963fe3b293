"""The probe: which assumptions of a contract a real service keeps."""
