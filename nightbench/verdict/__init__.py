"""What the numbers mean: promises kept, and the change against earlier runs."""
