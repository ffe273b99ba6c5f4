"""Report formats: every file here has `render(report) -> str`."""
