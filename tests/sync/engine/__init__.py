"""The engine over the stand-ins, in virtual time."""
