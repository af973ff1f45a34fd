"""Messages between the engine and its clients, and the way they travel.

``messages`` and ``values`` are what is said, ``wire`` is how; ``server`` and ``client``
are the two ends; ``launch`` finds or starts a library's engine.
"""
