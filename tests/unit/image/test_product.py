"""What the writer writes, the reader reads; what is damaged, it refuses."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coachwhip.errors import ImageError
from coachwhip.image import ImageReader, plan_image, read_image, write_product
from coachwhip.image.format import PAGE, NodeKind
from coachwhip.image.stub_elf import find_segment, with_segment
from coachwhip.model import Settings
from tests.unit.image.samples import EHDR, LOADER, PHDR, bundle, fake_stub, manifest, product, small_layer

if TYPE_CHECKING:
    from pathlib import Path


def test_round_trip(tmp_path: Path) -> None:
    wanted = Settings(interpreter=False, environment=True, xoptions=("dev",), warnings=("error",), optimize=2)
    image = ImageReader(product(tmp_path, wanted))
    image.verify()
    assert image.settings == wanted
    assert image.manifest == manifest()
    files = {node.path: node for node in image.nodes() if node.kind is NodeKind.FILE}
    assert image.data(files["lib/python3.13/pkg/__init__.py"]) == b"x = 1\n" * 100
    assert image.data(files["lib/python3.13/pkg/data.txt"]) == "Größe".encode()
    with pytest.raises(ImageError, match=r"bare\.py has no content"):
        image.data(files["lib/python3.13/pkg/bare.py"])


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert product(tmp_path / "one") == product(tmp_path / "two")


def test_the_image_starts_at_a_page_and_ends_with_the_file(tmp_path: Path) -> None:
    data = product(tmp_path)
    segment = find_segment(data)
    assert segment is not None
    assert segment.offset % PAGE == 0
    assert segment.offset + segment.size == len(data)


def test_the_segment_is_the_last_header() -> None:
    head, _ = with_segment(fake_stub(), 1000)
    assert int.from_bytes(head[64 + 2 * 56 : 64 + 2 * 56 + 4], "little") == 1
    assert find_segment(fake_stub()) is None
    assert find_segment(head) is not None


@pytest.mark.parametrize(("pie", "address"), [(False, 0x4_0000_0000), (True, 0x2000)])
def test_the_image_of_a_position_independent_stub_is_right_behind_it(pie: bool, address: int) -> None:  # noqa: FBT001
    """Kernel and loader take room for all that is between a program's first and last address."""
    head, _ = with_segment(fake_stub(pie=pie), 1000)
    headers = [PHDR.unpack_from(head, EHDR.size + n * PHDR.size) for n in range(3)]
    assert headers[-1][3] == address


@pytest.mark.parametrize("size", [5000, 8192, 8192 - len(LOADER), 8192 - len(LOADER) + 1])
def test_the_kernel_reads_the_stubs_last_bytes(size: int) -> None:
    """So that it refuses a file that ends before them."""
    stub = fake_stub(size=size)
    head, segment = with_segment(stub, 1000)
    assert segment.offset == len(head)
    assert len(head) % PAGE == 0
    assert head.endswith(LOADER)
    assert head[0x200:size] == stub[0x200:]
    headers = [PHDR.unpack_from(head, EHDR.size + n * PHDR.size) for n in range(3)]
    (loader,) = (header for header in headers if header[0] == 3)
    assert loader == (3, 4, len(head) - len(LOADER), 0x400200, 0x400200, len(LOADER), len(LOADER), 1)


def test_a_stub_without_a_spare_header_is_refused() -> None:
    with pytest.raises(ImageError, match="no program header to spare"):
        with_segment(fake_stub(note=False), 1000)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"#!/bin/sh\n", "not a 64-bit"), (fake_stub(), "carries no image")],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        read_image(path)


def test_a_truncated_product_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="truncated"):
        ImageReader(product(tmp_path)[:-1])


def test_damage_is_named(tmp_path: Path) -> None:
    data = bytearray(product(tmp_path))
    at = data.rindex("Größe".encode())
    data[at] ^= 1
    with pytest.raises(ImageError, match=r"data\.txt"):
        ImageReader(bytes(data)).verify()
    data[at] ^= 1
    data[4990] ^= 1
    with pytest.raises(ImageError, match="interpreter"):
        ImageReader(bytes(data)).verify()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(st.data())
def test_any_flipped_bit_is_found_and_nothing_but_an_image_error_comes_out(
    tmp_path: Path, data: st.DataObject
) -> None:
    plan = plan_image(bundle(small_layer(tmp_path)), "bin/sample")
    output = io.BytesIO()
    write_product(fake_stub(), plan, manifest(), output)
    whole = bytearray(output.getvalue())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "product"
    path.write_bytes(whole)
    with pytest.raises(ImageError):
        read_image(path).verify()
