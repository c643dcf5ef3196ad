"""What turns the text of an error into a vector."""
