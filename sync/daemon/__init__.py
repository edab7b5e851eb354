"""The process: its workers, its signals, its start and its end. Holds no rule of the engine."""
