"""CEL expressions in conditions: read and typed by our own checker, evaluated by the library of the extra `cel`.

The library tells syntax errors and names; it types nothing. So whether an expression may stand in a file is decided
here: every name, function, type and word of an enumeration, and how much it may cost.
"""
