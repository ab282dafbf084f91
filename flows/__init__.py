"""What runs, in which order: one file a flow, on top of the tasks. `tier` is what they share."""
