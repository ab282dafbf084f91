"""The highest load at which a subject keeps its targets: the search, its steps, and what is said of the answer."""
