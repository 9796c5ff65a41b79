"""The linter: what is wrong, or unwise, in a schema by itself. `fivebyte lint`."""
