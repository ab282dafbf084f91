"""Bugsink's settings for the tests: one user on loopback, every task at once, nothing that calls home.

The environment gives the rest: where the databases lie, and BUGSINK_CONF (JSON) over what is in `BUGSINK`.
"""

import json
import os

from bugsink.settings.default import *  # noqa: F403  # how Bugsink is configured

SECRET_KEY = "of no use to anybody"
TIME_ZONE = "UTC"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SNAPPEA = {"TASK_ALWAYS_EAGER": True}
BUGSINK = {
    "SINGLE_USER": True,
    "PHONEHOME": False,
    "VALIDATE_ON_DIGEST": "none",
    **json.loads(os.environ.get("BUGSINK_CONF", "{}")),
}
