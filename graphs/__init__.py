"""The state machine: its state, one node a file, the cycle graph and the lesson subgraph."""
