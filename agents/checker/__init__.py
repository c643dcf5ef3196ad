"""The checker: finds the first wrong step of a worked solution, without a model."""
