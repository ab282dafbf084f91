"""Figures: what explains a stored run, as charts with their words and tables; pure functions of what is stored."""
