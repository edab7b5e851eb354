"""Settings and connections: the only place that reads the environment."""
