"""Everything that draws: the interactive figure and the look of all pictures."""
