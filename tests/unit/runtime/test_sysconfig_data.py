from __future__ import annotations

import sys

import pytest

from coachwhip.runtime.sysconfig_data import (
    builtin_table,
    clean_variables,
    parse_variables,
    relocatable_module,
)

TEXT = """
# generated
build_time_vars = {
    'CC': 'cc -pthread',
    'INCLUDEPY': '/__runtime__/include/python3.13',
    'MODULE__BZ2_LDFLAGS': '-L../../deps/usr/lib -lbz2',
    'PY_CFLAGS': '-O3 -I../../src/python/Include -Wall',
    'abs_builddir': '/tmp/work/build/python',
    'SIZEOF_LONG': 8,
}
"""


def test_what_points_into_the_build_is_dropped() -> None:
    cleaned = clean_variables(parse_variables(TEXT), "/tmp/work")

    assert cleaned == {
        "CC": "cc -pthread",
        "INCLUDEPY": "/__runtime__/include/python3.13",
        "MODULE__BZ2_LDFLAGS": "",
        "PY_CFLAGS": "-O3 -Wall",
        "abs_builddir": "",
        "SIZEOF_LONG": 8,
    }


def test_the_written_module_follows_the_interpreter() -> None:
    names: dict[str, object] = {}

    exec(relocatable_module(parse_variables(TEXT), "/__runtime__"), names)  # noqa: S102

    variables = names["build_time_vars"]
    assert isinstance(variables, dict)
    assert variables["INCLUDEPY"] == f"{sys.base_prefix}/include/python3.13"
    assert variables["SIZEOF_LONG"] == 8


def test_a_file_without_the_dictionary_is_refused() -> None:
    with pytest.raises(ValueError, match="build_time_vars"):
        parse_variables("other = {}")


def test_the_table_of_built_in_modules_is_read() -> None:
    config = """
    extern PyObject* PyInit__json(void);
    struct _inittab _PyImport_Inittab[] = {
        {"_json", PyInit__json},
        {"sys", NULL},
        {0, 0}
    };
    """
    assert builtin_table(config) == [("_json", "PyInit__json"), ("sys", "")]
