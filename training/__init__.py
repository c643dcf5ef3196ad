"""How lessons become weights: training stages, their rewards and checks, the worker that runs them, and the gate."""
