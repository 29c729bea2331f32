"""What every route takes and answers, as data: from here come ``/openapi.json``, the pages under ``/docs`` and the contract tests.

To describe a new dialect: write a module here with one `parts.Dialect` named ``DIALECT``, one `parts.Operation` a route, and
name the module in `document.DIALECTS`. ``tests/contract`` names each route without a description, each description without a
route, each answer that a description does not fit, and each problem that no description mentions.
"""
