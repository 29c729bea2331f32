"""Archives that a site brings along: WordPress exports, tables and lines of JSON, each row turned into a line of a batch."""
