"""What admins may change: sites, their keys and policies, moderators, authors' standings. Every change is audited.

Each change raises ``instance.config_version``, by which running processes notice it within two seconds.
"""
