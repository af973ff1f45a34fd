"""The engine: one process a library, its only writer; handlers, scheduler and jobs.

To import it settles the language of its sentences, some of which its modules make at their top.
"""

from cocadesk.resources import settle_language

settle_language()
