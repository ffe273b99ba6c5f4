"""The commands: every file here has `register(app)`."""
