"""What is different between two schemas, change by change, and whom each change breaks. `fivebyte diff`."""
