"""Mappings: what administrators write about a system, checked, and compiled into what the engine asks.

Pure: texts come in, values go out. Reading the files is `config`'s.
"""
