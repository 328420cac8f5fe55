{ "$P" -h 127.0.0.1 -p 9 -u x db 2>&1 || true; } | grep -i refused; "$P" --list-dsn; ls .config/pgcli/config
