"""The shipped mappings, readable as resources of this package; administrators edit their own copies."""
