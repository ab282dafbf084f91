"""nightbench: did the backend get worse since last night?

The library behind the Prefect flows in ``flows/``; nothing in here imports Prefect, so every part of it
can be used from a notebook.
"""

from importlib.metadata import version

__version__ = version("nightbench")

__all__ = ["__version__"]
