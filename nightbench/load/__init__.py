"""When and how many: schedules, phases, counts and histograms, shared by both suites. No sockets in here."""
