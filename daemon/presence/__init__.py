"""Mordomo on the broker: asked, made to speak, silenced and heard of over MQTT."""
