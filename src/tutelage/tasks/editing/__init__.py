"""Facts to be edited: what one is, where they come from, how an answer is graded and an edit is measured."""
