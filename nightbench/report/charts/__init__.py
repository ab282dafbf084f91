"""Charts: what one shows as plain data, one Altair spec of it, and that spec in every medium."""
