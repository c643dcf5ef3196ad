"""Who acts: the student, the diagnostician, the planner, the teachers and the purifiers."""
