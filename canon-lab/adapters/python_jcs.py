"""The package jcs (PyPI), behind json.loads."""

import json

from lines import serve

try:
    from importlib.metadata import version

    import jcs
except ImportError as error:
    serve("jcs", "", "jcs", None, absent=str(error))
else:
    serve("jcs (PyPI)", version("jcs"), "jcs", lambda text: jcs.canonicalize(json.loads(text.decode("utf-8"))))
