cat > make.py <<'E'
import zipfile
with zipfile.ZipFile("x-1-py3-none-any.whl", "w") as wheel:
    wheel.writestr("x.py", "")
    wheel.writestr("x-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1\nDescription-Content-Type: text/markdown\n\n# X\n")
    wheel.writestr("x-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr("x-1.dist-info/RECORD", "x.py,,\nx-1.dist-info/METADATA,,\nx-1.dist-info/WHEEL,,\nx-1.dist-info/RECORD,,\n")
E
COACHWHIP_INTERPRETER=1 "$P" make.py; "$P" check x-1-py3-none-any.whl | grep PASSED
"$P" upload --non-interactive --cert "$CA" --repository-url "$TLS/" -u a -p b x-1-py3-none-any.whl
! "$P" upload --non-interactive --repository-url "$TLS/" -u a -p b x-1-py3-none-any.whl
