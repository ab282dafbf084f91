"""What was measured, kept: Parquet in, Parquet out."""
