"""Where the flows' files lie: the step that Prefect takes before it loads one, on whichever machine that is."""

from __future__ import annotations

from pathlib import Path


def project_folder() -> dict[str, str]:
    """The pull step of the deployments: the folder of the installed project becomes the working directory.

    No folder is written into a deployment, so that a worker of another machine, or in a container, finds its own.
    """
    return {"directory": str(Path(__file__).resolve().parents[2])}
