"""The web face: webhooks in, health and metrics out. Asynchronous, in a thread of its own; knows no item."""
