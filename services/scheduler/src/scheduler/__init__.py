"""Plans occurrences from user events, claims the due ones, records how they ended."""
