"""The databases of each release as SQL, empty and filled: every later migration is tested from each."""
