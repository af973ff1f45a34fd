#!/bin/sh
# Finds a Python that will do and lets it make .venv ready: `sh tools/ready.sh`.
# PYTHON=/path/to/python chooses one by hand.
set -eu
cd "$(dirname "$0")/.."

recent() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
    if recent "$candidate"; then
        exec "$candidate" tools/install.py "$@"
    fi
done
echo "CocaDesk needs Python 3.11 or newer, and none was found (tried: ${PYTHON:-python3, python3.13, python3.12, python3.11, python})." >&2
echo "Install one (Debian and Ubuntu: sudo apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
