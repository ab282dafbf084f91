"""One Prefect task a step of the night; each hands over to one function of the library."""
