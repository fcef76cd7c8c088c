"""The processes: a supervisor, its workers, and the desk that answers people."""
