"""What shows a program's own text: inspect, linecache, tracebacks, warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.products.building import Product

pytestmark = pytest.mark.product

SITE = "/__app__/lib/python3.13/site-packages"


def test_inspect(probe: Product) -> None:
    code = """
        import inspect, json, probe.work as work, probe.latin
        print(json.dumps([
            inspect.getsource(work.square), inspect.getsourcelines(work.Thing.double),
            inspect.getfile(work.Thing), inspect.getsourcefile(work), inspect.getmodule(work.square).__name__,
            inspect.getcomments(work.Thing), inspect.getdoc(work.Thing),
            "é" in inspect.getsource(probe.latin), inspect.getsource(work).count("def "),
            inspect.getsource(json.loads).startswith("def loads"), inspect.getmodulename(work.__file__),
        ]))
    """
    double = [
        "    def double(self):\n",
        "        # The value, twice.\n",
        "        return Thing(self.value * 2)\n",
    ]
    assert probe.value(code) == [
        "def square(number):\n    return number * number\n",
        [double, 12],
        f"{SITE}/probe/work.py",
        f"{SITE}/probe/work.py",
        "probe.work",
        None,
        "Something to pickle.",
        True,
        5,
        True,
        "work",
    ]


def test_loaders_give_sources_and_code(probe: Product) -> None:
    code = """
        import probe.work, probe._native
        loader = probe.work.__loader__
        code = loader.get_code("probe.work")
        print(code.co_filename == loader.get_filename("probe.work") == loader.path == probe.work.__file__)
        print(loader.get_source("probe.work").startswith('\"\"\"Work for'), loader.is_package("probe.work"))
        print(probe.__loader__.is_package("probe"), probe._native.__loader__.get_source("probe._native"))
        print(loader.source_to_code(b"1 + 1", "<x>").co_filename)
        print(loader.path_stats(probe.work.__file__)["size"] == len(loader.get_data(probe.work.__file__)))
    """
    assert probe.output(code) == "True\nTrue False\nTrue None\n<x>\nTrue\n"


def test_linecache(probe: Product) -> None:
    code = """
        import linecache, probe.work
        print(linecache.getline(probe.work.__file__, 22), end="")
        linecache.checkcache()
        print(linecache.getline("/__app__/lib/python3.13/site-packages/probe/work.py", 18), end="")
    """
    assert probe.output(code) == "    queue.put((number, os.getpid()))\n    return number * number\n"


def test_a_traceback_has_the_lines(probe: Product) -> None:
    done = probe.run("import probe.work\nprobe.work.wrong(0)\n")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "Traceback (most recent call last):\n"
        '  File "/__app__/bin/probe", line 7, in <module>\n'
        "    sys.exit(main())\n"
        "             ~~~~^^\n"
        f'  File "{SITE}/probe/cli.py", line 6, in main\n'
        '    exec(code, {"__name__": "__main__", "__builtins__": __builtins__})\n'
        "    ~~~~" + "^" * 62 + "\n"
        '  File "<probe>", line 2, in <module>\n'
        f'  File "{SITE}/probe/work.py", line 26, in wrong\n'
        "    return 1 / number  # the line that tracebacks show\n"
        "           ~~^~~~~~~~\n"
        "ZeroDivisionError: division by zero\n"
    )


def test_a_traceback_shows_no_frame_of_the_import_system(probe: Product) -> None:
    done = probe.run("import sys\nsys.path.insert(0, '.')\nimport probe.inner.leaf, probe.inner.nothing")
    assert done.stderr.splitlines()[-2:] == [
        '  File "<probe>", line 3, in <module>',
        "ModuleNotFoundError: No module named 'probe.inner.nothing'",
    ]
    assert "_coachwhip" not in done.stderr


def test_a_traceback_without_sources(strict: Product) -> None:
    done = strict.run("fail")
    assert done.returncode == 1
    assert done.stderr == (
        "Traceback (most recent call last):\n"
        '  File "/__app__/bin/strict", line 22, in <module>\n'
        '  File "/__app__/bin/strict", line 17, in fail\n'
        "ValueError: no lines\n"
    )


def test_inspect_without_sources(strict: Product) -> None:
    done = strict.run("source")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "OSError: could not get source code"


def test_warnings_show_the_line_that_is_to_blame(probe: Product) -> None:
    code = """
        import sys, warnings
        import probe.work
        exec(compile("def warn():\\n    warnings.warn('beware', UserWarning, stacklevel=2)", "x", "exec"))
        code = compile("warn()", probe.work.__file__, "exec")
        exec(code)
    """
    done = probe.run(code)
    place = f"{SITE}/probe/work.py:1"
    assert done.stderr == f'{place}: UserWarning: beware\n  """Work for other processes."""\n'


def test_a_warning_about_an_import_names_the_importing_line(probe: Product) -> None:
    code = """
        import warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            import sre_compile
        print(caught[0].filename, caught[0].lineno)
    """
    assert probe.output(code) == "<probe> 5\n"


def test_a_warning_about_an_expression_names_the_line_that_has_it(probe: Product) -> None:
    code = """
        import re, warnings
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            re.compile("[[a]")
        print(caught[0].filename, caught[0].lineno)
    """
    assert probe.output(code) == "<probe> 5\n"


def test_a_wrong_expression_has_the_same_traceback(probe: Product, plain: Product) -> None:
    code = """
        import re, traceback
        try:
            re.compile("(")
        except re.PatternError as error:
            print([frame.name for frame in traceback.extract_tb(error.__traceback__)])
    """
    assert probe.output(code) == plain.output("-c", code)
