"""Critics: who asks one question about a rationale that was turned away."""
