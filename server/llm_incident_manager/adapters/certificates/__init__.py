"""Certificates by the library `cryptography`: reads them, checks files of them, and makes those of developers."""
