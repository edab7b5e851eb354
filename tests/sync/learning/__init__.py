"""Tests of what is learnt from live systems."""
