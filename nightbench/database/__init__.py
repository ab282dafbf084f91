"""The database stress test: many workers, each a thread of an application, through SQLAlchemy's pool."""
