"""Classes: the stub looks up their special methods in the dictionaries of the class and its bases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.products.building import Product

pytestmark = pytest.mark.product

CODE = """
import itertools, random

class Text(str):
    "A key that is no exact text."
    def __eq__(self, other): return str.__eq__(self, other)
    __hash__ = str.__hash__

def equal(name):
    return "".join(["_", name[1:]])  # the same text, but another object

SPECIAL = ["__len__", "__bool__", "__hash__", "__eq__", "__call__", "__iter__", "__add__", "__getitem__"]

def behaviour(cls):
    "What every special method of the class's objects leads to."
    made = cls()
    acts = [len, bool, hash, lambda x: x == 5, lambda x: x(), iter, lambda x: x + 1, lambda x: x[0], repr]
    found = []
    for act in acts:
        try:
            found.append(str(act(made))[:9])
        except TypeError as error:
            found.append("TypeError")
    return found

def method(name, mark):
    results = {"__bool__": True, "__repr__": "repr" + str(mark), "__iter__": iter(()), "__eq__": mark == 1}
    return lambda self, *rest: results.get(name, mark)

def expected(chain):
    "The same from the definition of inheritance: the first class that has the name decides."
    names = {}
    for members in chain:
        names.update(members)
        if "__eq__" in members and "__hash__" not in members:
            names["__hash__"] = None
    return type("Flat", (), {key: names[key] for key in names})

numbers = random.Random(7)
differences = []
for size, depth in itertools.product((0, 1, 3, 40, 84, 86, 200), (1, 2, 4)):
    for attempt in range(6):
        cls, chain = object, []
        for level in range(depth):
            chosen = numbers.sample(SPECIAL, numbers.randrange(4))
            members = {numbers.choice((equal(name), name)): method(name, level) for name in chosen}
            chain.append(dict(members))
            members.update({f"name{n}": n for n in range(size)})
            cls = type("C", (cls,), members)
            for n in range(0, size, 3):
                delattr(cls, f"name{n}")
        if behaviour(cls) != behaviour(expected(chain)):
            differences.append((size, depth, attempt))
print(differences)

odd = type("Odd", (), {Text("__len__"): lambda self: 3, "__add__": lambda self, other: other})
print(odd() + 2, "__len__" in vars(odd))
late = type("Late", (), {})
late.__len__ = lambda self: 4
print(len(late()))
del late.__len__
print(hasattr(late(), "__len__"))
"""


def test_special_methods_are_found(probe: Product, plain: Product) -> None:
    output = probe.output(CODE)
    assert output == plain.output("-c", CODE)
    assert output.startswith("[]\n")
