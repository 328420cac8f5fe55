"""A product that was started as the interpreter of a virtual environment.

`venv` and `virtualenv` link an environment's `bin/python` to the interpreter that makes it, which may be a
product: then this does what `site` does for ordinary Python. Only interpreters import it, apps never do.
"""

import os
import site
import sys


def enter(root, packages):
    """Use the virtual environment that the interpreter's path lies in, if there is one.

    Args:
        root: the product's prefix, which is the environment's base.
        packages: the product's own site-packages, which only few environments want to see.

    Returns:
        Whether the product's own packages are on the search path.
    """
    called = _path_of(sys.orig_argv[0])
    prefix = os.path.dirname(os.path.dirname(called))
    if not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        return True
    sys.executable = called
    sys.path[:] = [path for path in sys.path if path != packages]
    site.venv(set(sys.path))
    wanted = root in site.PREFIXES
    if wanted:
        sys.path.append(packages)
    _use_the_users_modules()
    return wanted


def _use_the_users_modules():
    """Honour PYTHONPATH: an environment is its user's, and pip builds packages through such a path."""
    places = os.environ.get("PYTHONPATH", "")
    if places and not sys.flags.isolated:
        sys.path[:0] = [os.path.abspath(place) for place in places.split(os.pathsep)]
    site.execsitecustomize()


def _path_of(called):
    """Absolute path of what was started under this name."""
    if os.sep not in called:
        for folder in os.get_exec_path():
            path = os.path.join(folder, called)
            if os.access(path, os.X_OK):
                called = path
                break
    return os.path.abspath(called)
