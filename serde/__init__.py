"""Serializers and deserializers in Confluent's wire format, and the client of a schema registry."""
