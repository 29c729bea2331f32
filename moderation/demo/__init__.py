"""The demonstration: a site of our own with a receiver of our own, so that the whole way of a comment can be tried at once."""

from moderation.demo.demonstration import Demonstration
from moderation.demo.seeding import DemonstrationError, refuse_outside_database

__all__ = ["Demonstration", "DemonstrationError", "refuse_outside_database"]
