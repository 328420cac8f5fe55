printf 'import pytest\n@pytest.fixture\ndef five(): return 5\ndef pytest_addoption(parser): parser.addoption("--mine")\n' > conftest.py
cat > test_a.py <<'Q'
import multiprocessing, subprocess, sys
def test_fixture(five, tmp_path): assert five == 5
def test_bad(): assert [1, 2] == [1, 3]
def test_option(pytestconfig): assert pytestconfig.getoption("mine") == "x"
def test_python(): assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\n"
def test_spawn():
    with multiprocessing.get_context("spawn").Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
Q
"$P" --mine x > out || test $? = 1
grep 'At index 1 diff: 2 != 3' out; grep '1 failed, 4 passed' out; ls __pycache__/test_a.*pytest*.pyc
