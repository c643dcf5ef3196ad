"""The chat client: one model behind one door, its limits and retries, and how its replies are read."""
