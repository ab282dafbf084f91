"""What is said to Sentry, and a delivery that loses nothing."""
