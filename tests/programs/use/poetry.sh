"$P" new po; cd po; "$P" build; ls dist/po-0.1.0-py3-none-any.whl; "$P" lock; "$P" install
"$P" run python -c 'import po, sys; print(sys.prefix)' | grep virtualenvs/po-
"$P" env info | grep 'Valid: *True'
