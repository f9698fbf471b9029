"""The JSON Schemas of Mordomo's own MQTT topics, as files for other programs to read."""
