"""Discovery: kinds of problems and of wrong steps, for tasks whose problems have no tags."""
