"""What a backend imports to be watched by Sentry: sampling, filters, privacy and helpers."""
