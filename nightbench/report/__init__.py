"""What a reader sees: progress, summary, document."""
