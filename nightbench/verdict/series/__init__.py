"""One series of nights: where its level changed."""
