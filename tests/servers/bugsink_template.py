"""Make a migrated database of Bugsink with one project and one token, and print their names as JSON."""

import json
import sys

import django
from django.core.management import call_command


def _make():
    """Models can be imported when Django is set up."""
    from bsmain.models import AuthToken
    from projects.models import Project
    from teams.models import Team

    for database in ("default", "snappea"):
        call_command("migrate", database=database, verbosity=0)
    team = Team.objects.create(name="nightbench")
    project = Project.objects.create(name="nightbench", slug="nightbench", team=team)
    token = AuthToken.create_full_access()
    return {"project": project.id, "key": project.sentry_key.hex, "token": token.token}


if __name__ == "__main__":
    django.setup()
    json.dump(_make(), sys.stdout)
