"""What runs, in which order: one file a flow, on top of the tasks. `tier`, `night` and `states` are what they share."""
