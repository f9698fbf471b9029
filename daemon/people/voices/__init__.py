"""Who speaks: voices that were taught, told apart while what was said is being transcribed.

voiceprint.py   what is known of a voice, and how alike is alike enough (pure)
recognition.py  the service that knows the household's voices
trust.py        how sure is sure enough for what a person may
enrolment.py    from sentences to a voiceprint
rooms.py        rooms that nobody was in, to teach a voice for
recordings.py   sound files to sentences, and why some will not do

It serves to make things personal. It is no password: a recording or a good imitation passes for the person.
"""
