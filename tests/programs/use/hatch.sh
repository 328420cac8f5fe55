"$P" new demo; cd demo; "$P" version | grep 0.0.1; "$P" version minor; "$P" version | grep 0.1.0
"$P" env show --ascii; "$P" env create default || { cat; false; }; "$P" run python -c 'import sys; print(sys.prefix)' | grep hatch
