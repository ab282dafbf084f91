"""Before any load: whether a workload fits the subject, tried and taken back."""
