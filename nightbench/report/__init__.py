"""What a reader sees: progress and summary."""
