"""A run as other tools read it: one file for each tool, which needs only the run directory."""
