"""What holds for every test."""

from hypothesis import settings

settings.register_profile("nightbench", deadline=None)  # a wall time says nothing on a busy machine
settings.load_profile("nightbench")
