"""Tests of `registry.check`."""
