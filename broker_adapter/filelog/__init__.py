"""A broker in a folder: Kafka's own log files, written and read by the processes that use them.

There is no server. What keeps processes apart is one file lock a partition
(`locks`), and what readers may see is one published page (`state`).
"""
