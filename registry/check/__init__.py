"""Checking schemas in files: project file, sources, baselines, findings, reports. What CI runs."""
