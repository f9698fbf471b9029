"""How the small models and the recorded scenes of the demonstration are made."""
