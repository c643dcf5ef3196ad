"""Where problems come from, and how an answer is graded: one task a file, each behind `tutelage.seams.Task`."""
