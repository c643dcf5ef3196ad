"""The lesson: how one rationale is asked for, judged and refined, and what a failing teacher leaves to others."""
