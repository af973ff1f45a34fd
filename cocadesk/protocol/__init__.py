"""Messages between the engine and its clients, and how they travel.

``messages`` and ``values`` are the words; ``server`` and ``client`` speak them;
``launch`` finds or starts a library's engine; ``fake`` is a made-up engine.
"""
