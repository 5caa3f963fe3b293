"""The probe: which assumptions about the service a real one keeps."""
