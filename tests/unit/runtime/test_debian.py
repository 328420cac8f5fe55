from __future__ import annotations

from coachwhip.runtime.debian import DebianArchive, candidates, network_settings, parse_source_records

RECORDS = """\
Package: openssl
Binary: openssl, libssl-dev
Version: 3.5.6-1
Files:
 00 10 openssl_3.5.6.orig.tar.gz
Checksums-Sha256:
 aa 10 openssl_3.5.6-1.dsc
 bb 10 openssl_3.5.6.orig.tar.gz
 cc 10 openssl_3.5.6.orig.tar.gz.asc
Directory: pool/main/o/openssl

Package: openssl
Version: 3.5.10-1~deb13u1
Checksums-Sha256:
 dd 10 openssl_3.5.10.orig.tar.gz
Directory: pool/updates/main/o/openssl

Package: openssl
Version: 3.0.20-1
Checksums-Sha256:
 ee 10 openssl_3.0.20.orig.tar.xz

Package: openssl
Version: 3.5.6-1
Checksums-Sha256:
 bb 10 openssl_3.5.6.orig.tar.gz
"""
OLD = DebianArchive("openssl", "3.5.6-1", "openssl_3.5.6.orig.tar.gz", "bb")
NEW = DebianArchive("openssl", "3.5.10-1~deb13u1", "openssl_3.5.10.orig.tar.gz", "dd")
OTHER = DebianArchive("openssl", "3.0.20-1", "openssl_3.0.20.orig.tar.xz", "ee")


def test_upstream_archives_are_read_once_each() -> None:
    assert parse_source_records(RECORDS) == [OLD, NEW, OTHER]
    assert parse_source_records("") == []


def test_the_upstream_version_is_in_the_file_name() -> None:
    assert [record.upstream_version for record in (OLD, NEW, OTHER)] == ["3.5.6", "3.5.10", "3.0.20"]


def test_the_pinned_archive_is_taken_whatever_its_revision() -> None:
    assert candidates([NEW, OLD, OTHER], "bb", "3.5.6", "3.5.") == [OLD]


def test_a_newer_release_of_the_series_stands_in_the_newest_first() -> None:
    assert candidates([OLD, OTHER, NEW], "ff", "3.5.5", "3.5.") == [NEW, OLD]
    assert candidates([OLD, OTHER, NEW], "ff", "3.5.6", "3.5.") == [NEW]


def test_nothing_stands_in_without_a_series() -> None:
    assert candidates([OLD, NEW], "ff", "3.5.5", "") == []


def test_of_the_systems_settings_only_the_network_is_kept() -> None:
    dump = """\
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";
Acquire::AllowInsecureRepositories "1";
Acquire::http::Proxy "http://proxy:3128/";
Acquire::httpsomething "1";
Acquire::ForceIPv4 "true";
Dir::Cache "/elsewhere";
"""
    assert (
        network_settings(dump) == 'Acquire::http::Proxy "http://proxy:3128/";\nAcquire::ForceIPv4 "true";\n'
    )
