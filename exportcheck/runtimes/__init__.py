"""What runs saved models: a file a runtime."""
