"""Schema languages. Each folder parses, prints and compares the schemas of one."""
