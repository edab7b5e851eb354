"""The engine of hypercare: model, pure core, mappings, store, engine, daemon, commands."""
