"""What a run may write to a subject, and how all of it is removed again."""
