"""Teachers: each writes a rationale for one problem, given how the student failed at it."""
