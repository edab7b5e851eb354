"""`hypercare demo`: a launch day on stand-ins, with the real daemon, that proves what it claims."""
