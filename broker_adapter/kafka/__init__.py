"""Apache Kafka behind the same interface, on confluent-kafka (librdkafka).

Nothing of librdkafka leaves this folder but the words of its errors and the
keys of its configuration.
"""
