"""The schema registry: the rules, the log they are folded from, and the HTTP service in front."""
