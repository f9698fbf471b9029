"""Sound in and out: frames, endpointer, microphone, speaker, WAV."""
