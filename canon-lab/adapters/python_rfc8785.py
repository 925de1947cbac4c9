"""The package rfc8785 (PyPI), behind json.loads."""

import json

from lines import serve

try:
    from importlib.metadata import version

    import rfc8785
except ImportError as error:
    serve("rfc8785", "", "jcs", None, absent=str(error))
else:
    serve("rfc8785", version("rfc8785"), "jcs", lambda text: rfc8785.dumps(json.loads(text.decode("utf-8"))))
