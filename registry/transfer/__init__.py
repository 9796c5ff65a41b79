"""The registry's log on the move: copied between stores, exported, imported, and told as a history."""
