"""The door to LanceDB: light, and whole where a part that was left out is needed."""

import subprocess
import sys

SCRIPT = """
import sys
from cocadesk.library.lance import lancedb
print(any(name.startswith("lance_namespace_urllib3_client") for name in sys.modules))
spaces = lancedb.connect(sys.argv[1]).list_namespaces()
print(type(spaces).__name__, type(spaces).__module__.split(".")[0], list(spaces.namespaces))
"""


def test_messages_to_servers_are_loaded_only_when_one_is_made(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.splitlines() == [
        "False",
        "ListNamespacesResponse lance_namespace_urllib3_client []",
    ], ran.stderr
