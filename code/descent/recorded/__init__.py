"""What was recorded, each next to its reader: the digits, long trainings, other frameworks' paths, times."""
