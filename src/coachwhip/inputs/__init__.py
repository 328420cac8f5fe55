"""What the user pointed at -> an `AppSource`.

load_app(given)              -> AppSource   before anything is fetched or built
own_sources(app)             -> modules     whose syntax is checked first
check_syntax(modules, ...)   -> doubtful    raises when one is wrong for certain
choose_entry(app, scripts)   -> EntryPoint  once the wheels are there
"""

from coachwhip.inputs.entries import choose_entry
from coachwhip.inputs.load import Given, load_app, own_sources, wheel_scripts
from coachwhip.inputs.model import AppSource, Kind
from coachwhip.inputs.syntax import check_syntax, syntax_error

__all__ = [
    "AppSource",
    "Given",
    "Kind",
    "check_syntax",
    "choose_entry",
    "load_app",
    "own_sources",
    "syntax_error",
    "wheel_scripts",
]
