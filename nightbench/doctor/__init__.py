"""What would spoil the next night, found before it: each check by itself, and what mends it."""
