"""What goes on beside the steps of a night, with a client of its own: its slot on the server, its progress, a cancel."""
