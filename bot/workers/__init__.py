"""The only place where tasks are started."""
