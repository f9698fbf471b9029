"""The house's devices over MQTT: link, discovery, state, commands and their confirmation."""
