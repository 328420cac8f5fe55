cat > noxfile.py <<'Q'
import nox
@nox.session
def check(session): session.run("python", "-c", "import sys; print('in', sys.prefix)")
@nox.session(venv_backend="none")
def plain(session): session.run("echo", "hello", external=True)
Q
"$P" -l; "$P" > out 2>&1; grep 'in .*/.nox/check' out; grep hello out; .nox/check/bin/pip --version | grep .nox/check
