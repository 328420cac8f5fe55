cat > Snakefile <<'E'
rule all:
    input: "both.txt"
rule part:
    output: "part{n}.txt"
    shell: "echo part {wildcards.n} > {output}"
rule join:
    input: expand("part{n}.txt", n=[1, 2, 3])
    output: "both.txt"
    run:
        with open(output[0], "w") as stream:
            for name in input:
                stream.write(open(name).read())
E
"$P" -n -c 2 | grep 'total *5'; "$P" -c 2; test "$(wc -l < both.txt)" = 3; "$P" -c 2 2>&1 | grep 'Nothing to be done'; "$P" --summary | grep part2
