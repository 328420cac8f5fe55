"""The command line of myapp."""

import click


@click.group()
@click.version_option(package_name="myapp")
def main() -> None:
    """Show that the native parts of this app work."""


@main.command()
def run() -> None:
    """Use each native library once."""
    # Inside the command, as command-line programs do it whose `--help` should not wait for its libraries.
    import psycopg2.extensions
    import pycurl

    from myapp import myextension

    if psycopg2.extensions.libpq_version() < 100000:
        raise click.ClickException("psycopg2 came with a libpq that is too old")
    click.echo("psycopg2 works!")

    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, "file:///dev/null")
    curl.perform()
    curl.close()
    click.echo("pycurl works!")

    if myextension.add(40, 2) != 42:
        raise click.ClickException("myextension can't add")
    click.echo("myextension works!")
