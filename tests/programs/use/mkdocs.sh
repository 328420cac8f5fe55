. "${0%/*}/served.bash"
"$P" new s; cd s
printf 'site_name: T\ntheme: {name: material}\nplugins: [search, tags]\nmarkdown_extensions: [admonition]\n' > mkdocs.yml
printf '# A\n\n!!! note\n    hi\n' > docs/a.md
"$P" build; grep -q 'class="admonition note"' site/a/index.html; ls site/assets/stylesheets/main.*.css
printf 'site_name: RTD\ntheme: readthedocs\n' > mkdocs.yml; "$P" build -d other; ls other/search.html
served http://127.0.0.1:18601/ "$P" serve -a 127.0.0.1:18601; grep -q '<title>RTD' answer
