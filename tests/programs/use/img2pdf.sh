{ echo 'P6 100 100 255'; head -c 30000 /dev/zero; } > i.ppm
"$P" i.ppm -o o.pdf; head -c 5 o.pdf | grep %PDF
"$P" --engine pikepdf i.ppm -S A4 -o p.pdf; head -c 5 p.pdf | grep %PDF
