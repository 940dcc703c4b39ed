"""The real process under faults and SIGKILL, both ends counted."""
