"""A fuzzer of the whole service over raw sockets: ``python -m tests.fuzz --requests 100000``; a short form runs among the tests.

Requests begin as right ones, out of the OpenAPI document, so that every described route takes part; then they are spoilt.
"""
