"""The trend report: one HTML file that says whether it is well, what changed, why, and how sure that is."""
