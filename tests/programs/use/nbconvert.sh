echo '{"cells":[{"cell_type":"markdown","id":"a","metadata":{},"source":["# Hi *there*"]}],"metadata":{},"nbformat":4,"nbformat_minor":5}' > n.ipynb
"$P" --to html n.ipynb; grep -q '<em>there</em>' n.html; "$P" --to markdown --stdout n.ipynb | grep '# Hi'; "$P" --to slides n.ipynb; ls n.slides.html
