"""An app that is hard to ship: two wheels with native libraries and a C extension of its own."""
