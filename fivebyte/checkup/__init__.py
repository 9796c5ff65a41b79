"""What ``fivebyte doctor`` looks at. One file a part of a set-up; each gives findings and changes nothing."""
