"""The commands. `main` holds their words and flags; everything heavy is imported inside them."""
