"""One interface to a broker: a file log in a folder, or Apache Kafka."""
