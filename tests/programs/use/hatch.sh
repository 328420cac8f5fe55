"$P" new demo; cd demo; "$P" env show --ascii | grep default
"$P" env create; "$P" run python -c 'import demo, sys; print(sys.prefix)' | grep "$HOME/.local/share/hatch/env/virtual/demo"
"$P" run pip --version | grep hatch; "$P" env prune
