"""A registry made to match a tree of schemas, or the other way: `fivebyte plan`, `apply` and `pull`."""
