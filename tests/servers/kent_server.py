"""Kent on the listening socket that is given as a file descriptor, keeping every item that was sent.

Kent by itself keeps a hundred, fails after the first attachment of an envelope (it looks for keys in bytes), and
cannot show one.
"""

import base64
import logging
import sys

import kent.app
from werkzeug.serving import make_server

_get = kent.app.deep_get


def _get_of_mappings(structure, path, default=None):
    return _get(structure, path, default) if isinstance(structure, dict) else default


def _shown(event):
    body = event.body
    is_bytes = isinstance(body, bytes)
    return {
        "envelope": event.envelope_header,
        "header": event.header,
        "body": base64.b64encode(body).decode() if is_bytes else body,
        "is_bytes": is_bytes,
    }


if __name__ == "__main__":
    kent.app.deep_get = _get_of_mappings
    kent.app.EventManager.MAX_EVENTS = 1_000_000
    app = kent.app.create_app()
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("kent").setLevel(logging.WARNING)

    @app.route("/items")
    def items():
        return {"items": [_shown(event) for event in kent.app.EVENTS.get_events()]}

    make_server("127.0.0.1", 0, app, threaded=True, fd=int(sys.argv[1])).serve_forever()
