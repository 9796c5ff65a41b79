"""The front door of fivebyte: the command line."""
