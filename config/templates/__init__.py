"""What `hypercare init` copies."""
