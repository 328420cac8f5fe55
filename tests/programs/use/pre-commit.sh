git config --global user.email a@b; git config --global user.name n; git config --global init.defaultBranch main
mkdir hooks work bin; ln -s "$P" bin/pre-commit; PATH=$PATH:$HOME/bin
cd hooks; git init -q; printf '#!/bin/sh\n! grep -n BAD "$@"\n' > hook.sh; chmod +x hook.sh
printf -- '- {id: sh, name: sh, entry: hook.sh, language: script}\n- {id: py, name: py, entry: "python -c pass", language: python}\n' > .pre-commit-hooks.yaml
printf '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n' > pyproject.toml
cat > backend.py <<'Q'
import zipfile
def build_wheel(folder, config=None, metadata=None):
    name = "x-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("x.py", "")
        wheel.writestr("x-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1\n")
        wheel.writestr("x-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("x-1.dist-info/RECORD", "x.py,,\nx-1.dist-info/METADATA,,\nx-1.dist-info/WHEEL,,\nx-1.dist-info/RECORD,,\n")
    return name
Q
git add .; git commit -qm x; git tag v1; cd ../work; git init -q
printf "repos:\n- repo: file://$HOME/hooks\n  rev: v1\n  hooks: [{id: sh, files: txt}, {id: py}]\n" > .pre-commit-config.yaml
echo BAD > a.txt; git add .; "$P" install; ! git commit -qm x; echo good > a.txt; git add .; git commit -m x
